import { isForeign } from './client';

/** An error as the API tells it (RFC 9457). */
export type Problem = {
  type: string;
  title: string;
  status: number;
  detail?: string;
  errors?: FieldError[];
};

export type FieldError = { pointer: string; detail: string };

/** An answer that belongs to another customer than the page does. */
const FOREIGN = 'other-session';

/** No answer at all: the network or the server is away. */
export const NO_ANSWER = 0;

/** What a call to the API throws when the answer is not the one asked for. */
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

type Answer<T> = { data?: T; error?: unknown; response: Response };

/**
 * The body of a successful answer.
 *
 * Throws a `ProblemError` for any other answer and for none.
 */
export async function unwrap<T>(call: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await call.catch((cause: unknown) => {
    throw new ProblemError({
      type: 'about:blank',
      title: 'No answer from Daybook',
      status: NO_ANSWER,
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
  // Something between us and Daybook may answer in its own words.
  if (typeof body !== 'object' || body === null) return fallback;
  return { ...fallback, ...body, status: response.status };
}

/** The errors by form field, and what belongs to none of the fields. */
export type FormErrors = { fields: Record<string, string>; form: string | undefined };

export const NO_ERRORS: FormErrors = { fields: {}, form: undefined };

/** Puts each error of a rejected form where its JSON pointer says; `/scopes/0` belongs to `scopes`. */
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

/** Why a form or a button has not done its work. Unlike a page, it does not try again by itself. */
export function errorText(error: unknown): string {
  const { title, text } = describeError(error);
  if (!(error instanceof ProblemError) || !isTransient(error)) return text;
  return `${title}. Try again in a moment.`;
}

/** Whether the same call may succeed a moment later. */
export function isTransient({ status }: ProblemError): boolean {
  return status === NO_ANSWER || status >= 500;
}

/** What went wrong with a page in the reader's words, and what will happen or can be done. */
export function describeError(error: unknown): { title: string; text: string } {
  if (!(error instanceof ProblemError)) {
    return {
      title: 'Something went wrong',
      text: 'Reload the page. If it stays, tell us what you did.',
    };
  }
  const { status, detail, title } = error.problem;
  if (status === NO_ANSWER) {
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
