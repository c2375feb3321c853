import { asProblem } from '@patron/shared/api/problem.ts';
import { Alert } from 'antd';

/** A refusal where it concerns no single field: its sentence, in the person's language. */
export function ProblemAlert({ error }: { error: unknown }) {
  if (!error) return null;
  const problem = asProblem(error);
  const notes = problem.fields.filter((f) => f.message !== problem.message);
  return (
    <Alert
      type="error"
      showIcon
      role="alert"
      style={{ marginBottom: 16 }}
      title={problem.message}
      description={notes.length ? <ul>{notes.map((f) => <li key={f.location + f.code}>{f.message}</li>)}</ul> : undefined}
    />
  );
}
