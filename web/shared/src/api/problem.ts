import type { Problem, ProblemField } from './schema.d.ts';

/**
 * A request that failed. `detail` is a sentence in the person's language that says what to do, so it
 * can be shown as it is; `code` never changes, so code may ask for it.
 */
export class ApiProblem extends Error {
  override name = 'ApiProblem';
  readonly code: string;
  /** 0 where no answer came at all. */
  readonly status: number;
  readonly title: string;
  /** The parts of the request at fault: `{ location: 'body.phone', message, code }`. */
  readonly fields: ProblemField[];
  readonly traceId: string | undefined;
  /** Seconds after which trying again makes sense. */
  readonly retryAfter: number | undefined;

  constructor(problem: Omit<Problem, 'type'>, retryAfter?: number) {
    super(problem.detail);
    this.code = problem.code;
    this.status = problem.status;
    this.title = problem.title;
    this.fields = problem.errors ?? [];
    this.traceId = problem.trace_id;
    this.retryAfter = retryAfter;
  }
}

/** Whatever was thrown, as a problem: a defect of our own code must not look like the server's. */
export function asProblem(error: unknown): ApiProblem {
  if (error instanceof ApiProblem) return error;
  const detail = error instanceof Error ? error.message : String(error);
  return new ApiProblem({ code: 'client', status: 0, title: detail, detail });
}
