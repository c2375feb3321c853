import { ApiProblem } from '@patron/shared/api/problem.ts';
import { Form, type FormInstance, type FormProps } from 'antd';
import { useEffect } from 'react';
import { ProblemAlert } from './problem-alert.tsx';
import styles from './problem-form.module.css';

type Path = (string | number)[];

interface Props<V> extends Omit<FormProps<V>, 'form'> {
  form: FormInstance<V>;
  /** Of the write that the form makes: `create.error`. */
  error: unknown;
}

/**
 * A form that shows a refusal where it belongs: what the API says of `body.phone` beside the field whose
 * name is `phone`, of `body.lines[2].amount` beside `['lines', 2, 'amount']`; the rest above the form.
 * An answer about a field goes when the field is edited.
 */
export function ProblemForm<V>({ form, error, children, onValuesChange, className, ...rest }: Props<V>) {
  const { placed, left } = split(form as FormInstance, error);

  useEffect(() => {
    const { placed: fields } = split(form as FormInstance, error);
    if (fields.length === 0) return;
    (form as FormInstance).setFields(fields.map(({ name, message }) => ({ name, errors: [message] })));
    form.scrollToField(fields[0]!.name, { focus: true, block: 'center' });
  }, [form, error]);

  return (
    <Form<V>
      layout="vertical"
      requiredMark={false}
      {...rest}
      className={className ? `${styles.form} ${className}` : styles.form}
      form={form}
      onValuesChange={(changed: Partial<V>, all) => {
        // Fields without rules of their own keep an answer for ever otherwise.
        (form as FormInstance).setFields(Object.keys(changed as object).map((name) => ({ name: [name], errors: [] })));
        onValuesChange?.(changed, all);
      }}
    >
      <ProblemAlert error={placed.length > 0 ? left : error} />
      {children as React.ReactNode}
    </Form>
  );
}

/** Sorts the parts of a refusal into those that a field of the form takes, and the problem that is left. */
function split(form: FormInstance, error: unknown): { placed: { name: Path; message: string }[]; left: ApiProblem | undefined } {
  if (!(error instanceof ApiProblem)) return { placed: [], left: undefined };
  const fields = form.getFieldsError().map((f) => f.name as Path);
  const has = (path: Path) => fields.some((f) => f.join('/') === path.join('/'));
  const parts = error.fields.map((f) => ({ field: f, name: pathOf(f.location), message: f.message }));
  const placed = parts.filter((p) => has(p.name));
  const others = parts.filter((p) => !has(p.name)).map((p) => p.field);
  const left = others.length ? new ApiProblem({ ...error, detail: error.message, errors: others }) : undefined;
  return { placed, left };
}

/** `body.lines[2].amount` → ['lines', 2, 'amount']. */
export function pathOf(location: string): Path {
  return [...location.replace(/^body\.?/, '').matchAll(/[^.[\]]+/g)].map(([part]) => (/^\d+$/.test(part) ? Number(part) : part));
}
