import type { ApiProblem } from '@patron/shared/api/problem.ts';
import { Button, Drawer, Form, type FormInstance } from 'antd';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useLeave } from '../frame/use-leave.ts';
import { ProblemForm } from './problem-form.tsx';
import { useLast } from './use-last.ts';
import { typing } from './typing.ts';

interface Props<V> {
  open: boolean;
  title: string;
  /** The button repeats the act: 新建门店. */
  act: string;
  /** The name of the field that comes first. */
  first: string;
  initial: V;
  /** The write that the form makes. */
  write: { isPending: boolean; error: ApiProblem | null; reset: () => void };
  onSave: (values: V) => void;
  onClose: () => void;
  /** The fields; they may read the form. */
  children: ReactNode | ((form: FormInstance<V>) => ReactNode);
}

/** A form at the right edge: make one, or change one. It asks before changes are lost; a refusal stands beside its field. */
export function FormDrawer<V extends object>({ open, title, act, first, initial, write, onSave, onClose, children }: Props<V>) {
  const { t } = useTranslation('ui');
  const [form] = Form.useForm<V>();
  const [changed, setChanged] = useState(false);
  const shown = useLast(title);
  const leave = useLeave(open && changed, () => {
    setChanged(false);
    onClose();
  });
  return (
    <Drawer
      open={open}
      onClose={leave}
      title={shown}
      size={480}
      destroyOnHidden
      afterOpenChange={(is) => {
        if (is) {
          if (!typing()) (form as FormInstance).getFieldInstance(first)?.focus?.();
        } else {
          setChanged(false);
          form.resetFields();
          write.reset();
        }
      }}
      footer={
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button onClick={leave}>{t('drawer.cancel')}</Button>
          <Button type="primary" loading={write.isPending} onClick={() => form.submit()}>{act}</Button>
        </div>
      }
    >
      <ProblemForm<V> form={form} error={write.error} initialValues={initial} onValuesChange={() => setChanged(true)} onFinish={onSave}>
        {typeof children === 'function' ? children(form) : children}
      </ProblemForm>
    </Drawer>
  );
}
