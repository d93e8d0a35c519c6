import { isForeign } from './client';

/** An error of the API (RFC 9457). */
export type Problem = {
  type: string;
  title: string;
  status: number;
  detail?: string;
  errors?: FieldError[];
};

export type FieldError = { pointer: string; detail: string };

/** The problem of a response that belongs to another customer than the page. */
const FOREIGN = 'other-session';

/** The status when there is no response: the network or the server is unreachable. */
export const NO_RESPONSE = 0;

/** Thrown by a call to the API that does not succeed. */
export class ProblemError extends Error {
  readonly problem: Problem;

  constructor(problem: Problem) {
    super(problem.detail ?? problem.title);
    this.name = 'ProblemError';
    this.problem = problem;
  }

  get status() {
    return this.problem.status;
  }

  /** Whether this is the problem of that name, the last part of its `type`. */
  is(name: string) {
    return this.problem.type.endsWith(`/problems/${name}`);
  }

  /** Whether another window has begun a session of its own. */
  get isOfAnotherSession() {
    return this.is(FOREIGN) || this.is('csrf-token-missing');
  }
}

type CallResult<T> = { data?: T; error?: unknown; response: Response };

/**
 * Returns the body of a successful response.
 *
 * Throws a `ProblemError` for any other response and for none.
 */
export async function unwrap<T>(call: Promise<CallResult<T>>): Promise<T> {
  const { data, error, response } = await call.catch((cause: unknown) => {
    throw new ProblemError({
      type: 'about:blank',
      title: 'No answer from Daybook',
      status: NO_RESPONSE,
      detail: cause instanceof Error ? cause.message : String(cause),
    });
  });
  if (response.ok && isForeign(data)) {
    const detail = 'Another window of this browser has logged in to another customer.';
    const type = `/problems/${FOREIGN}`;
    throw new ProblemError({
      type,
      title: 'This is another session',
      status: response.status,
      detail,
    });
  }
  if (response.ok) return data as T;
  throw new ProblemError(toProblem(error, response));
}

function toProblem(body: unknown, response: Response): Problem {
  const fallback = {
    type: 'about:blank',
    title: response.statusText || `Status ${response.status}`,
    status: response.status,
  };
  // A proxy in between may respond with something else than a problem.
  if (typeof body !== 'object' || body === null) return fallback;
  return { ...fallback, ...body, status: response.status };
}

/** The errors by form field, and what belongs to none of the fields. */
export type FormErrors = { fields: Record<string, string>; form: string | undefined };

export const NO_ERRORS: FormErrors = { fields: {}, form: undefined };

/** Assigns each error of a rejected form to a field by its JSON pointer; `/scopes/0` belongs to `scopes`. */
export function formErrors(error: unknown, known: readonly string[]): FormErrors {
  if (!(error instanceof ProblemError)) return { fields: {}, form: errorText(error) };
  const fields: Record<string, string> = {};
  const rest: string[] = [];
  for (const { pointer, detail } of error.problem.errors ?? []) {
    const field = pointer.replace(/^#/, '').split('/')[1];
    if (field !== undefined && known.includes(field)) {
      fields[field] = fields[field] === undefined ? detail : `${fields[field]} ${detail}`;
    } else {
      rest.push(detail);
    }
  }
  if (Object.keys(fields).length > 0 || rest.length > 0) {
    return { fields, form: rest.length > 0 ? rest.join(' ') : undefined };
  }
  return { fields, form: errorText(error) };
}

/** The error of a form or a button. Unlike a page, it is not retried by itself. */
export function errorText(error: unknown): string {
  const { title, text } = describeError(error);
  if (!(error instanceof ProblemError) || !isTransient(error)) return text;
  return `${title}. Try again in a moment.`;
}

/** Whether the same call may succeed a moment later. */
export function isTransient({ status }: ProblemError): boolean {
  return status === NO_RESPONSE || status >= 500;
}

/** Describes an error of a page for its reader, and what happens next or can be done. */
export function describeError(error: unknown): { title: string; text: string } {
  if (!(error instanceof ProblemError)) {
    return {
      title: 'Something went wrong',
      text: 'Reload the page. If it stays, tell us what you did.',
    };
  }
  const { status, detail, title } = error.problem;
  if (status === NO_RESPONSE) {
    return {
      title: 'No connection to Daybook',
      text: 'Check your network. The page tries again by itself.',
    };
  }
  if (status === 429) {
    return { title: 'Too many requests', text: 'Wait a moment, then try again.' };
  }
  if (status === 503 || status === 502 || status === 504) {
    return {
      title: 'Daybook is not ready just now',
      text: 'It comes back by itself, and this page with it.',
    };
  }
  if (status >= 500) {
    return { title: 'Daybook could not answer', text: 'The fault is on our side. Try again.' };
  }
  return { title, text: detail ?? title };
}
