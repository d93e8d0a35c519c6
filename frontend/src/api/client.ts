import createClient, { type Middleware } from 'openapi-fetch';
import { setServerDate } from './clock';
import { parseExact } from './exact';
import type { paths } from './schema';

/** The session of this window. */
type WindowSession = { csrf_token: string; customer: { id: string } };

let current: WindowSession | undefined;

/**
 * Remembers the session of this window, or that there is none. A write with the cookie must show its CSRF token, and an
 * response that names another customer is not for this window.
 */
export function rememberSession(session: WindowSession | undefined) {
  current = session;
}

/** The CSRF header, for operations whose description requires it. */
export function csrfHeader() {
  return { 'x-csrf-token': current?.csrf_token ?? '' };
}

/** Whether a response is of another customer: another window has begun a session of its own, with the same cookie. */
export function isForeign(body: unknown): boolean {
  if (current === undefined || typeof body !== 'object' || body === null) return false;
  const { customer_id: customer } = body as { customer_id?: unknown };
  return typeof customer === 'string' && customer !== current.customer.id;
}

const csrf: Middleware = {
  onRequest({ request }) {
    if (request.method !== 'GET' && current !== undefined) {
      request.headers.set('x-csrf-token', current.csrf_token);
    }
    return request;
  },
};

const NO_CONTENT = 204;

/** Reads every response: numbers keep their digits, and the server's clock is noted. */
async function read(response: Response): Promise<Response> {
  setServerDate(response.headers.get('date'));
  if (!response.ok || response.status === NO_CONTENT) return response;
  const text = await response.text();
  const headers = new Headers(response.headers);
  // With a length, openapi-fetch calls `json()` and not `text()`.
  headers.set('content-length', String(text.length));
  const exact = new Response(text, { status: response.status, headers });
  exact.json = () => Promise.resolve(parseExact(text));
  return exact;
}

/** The content types that the pages read; other formats of a report are only linked to. */
type Read = 'application/json' | 'application/problem+json';

export const client = createClient<paths, Read>({
  baseUrl: window.location.origin,
  // Looked up at each call, so that a test can replace it.
  fetch: async (request) => read(await globalThis.fetch(request)),
});
client.use(csrf);
