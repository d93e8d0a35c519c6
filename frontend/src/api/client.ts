import createClient, { type Middleware } from 'openapi-fetch';
import { setServerDate } from './clock';
import { parseExact } from './exact';
import type { paths } from './schema';

/** What this window knows of the session that it works with. */
type Known = { csrf_token: string; customer: { id: string } };

let known: Known | undefined;

/**
 * Remembers the session of this window, or that there is none. A write with the cookie must show its CSRF token, and an
 * answer that names another customer is not for this window.
 */
export function rememberSession(session: Known | undefined) {
  known = session;
}

/** The header as a log-out, whose description asks for it by name, must show it. */
export function csrfHeader() {
  return { 'x-csrf-token': known?.csrf_token ?? '' };
}

/** Whether an answer is another customer's: another window has begun a session of its own, with the same cookie. */
export function isForeign(body: unknown): boolean {
  if (known === undefined || typeof body !== 'object' || body === null) return false;
  const { customer_id: customer } = body as { customer_id?: unknown };
  return typeof customer === 'string' && customer !== known.customer.id;
}

const csrf: Middleware = {
  onRequest({ request }) {
    if (request.method !== 'GET' && known !== undefined) {
      request.headers.set('x-csrf-token', known.csrf_token);
    }
    return request;
  },
};

const NO_CONTENT = 204;

/** The one place where answers are read: numbers stay what was sent, and the server's clock is looked at. */
async function read(response: Response): Promise<Response> {
  setServerDate(response.headers.get('date'));
  if (!response.ok || response.status === NO_CONTENT) return response;
  const text = await response.text();
  const headers = new Headers(response.headers);
  // What has a length is asked for its JSON, and not for its text.
  headers.set('content-length', String(text.length));
  const answer = new Response(text, { status: response.status, headers });
  answer.json = () => Promise.resolve(parseExact(text));
  return answer;
}

/** What the pages read; what else a report can be taken out as is for links. */
type Read = 'application/json' | 'application/problem+json';

export const client = createClient<paths, Read>({
  baseUrl: window.location.origin,
  // Looked up at each call, so that a test can put its own in place.
  fetch: async (request) => read(await globalThis.fetch(request)),
});
client.use(csrf);
