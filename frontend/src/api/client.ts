import createClient, { type Middleware } from 'openapi-fetch';
import type { paths } from './schema';

let csrfToken: string | undefined;

/** A write with the session cookie must show the token that log-in, sign-up and `GET /v1/session` answer. */
export function rememberCsrfToken(token: string | undefined) {
  csrfToken = token;
}

/** The header as a log-out, whose description asks for it by name, must show it. */
export function csrfHeader() {
  return { 'x-csrf-token': csrfToken ?? '' };
}

const csrf: Middleware = {
  onRequest({ request }) {
    if (request.method !== 'GET' && csrfToken !== undefined) {
      request.headers.set('x-csrf-token', csrfToken);
    }
    return request;
  },
};

export const client = createClient<paths>({
  baseUrl: window.location.origin,
  // Looked up at each call, so that a test can put its own in place.
  fetch: (request) => globalThis.fetch(request),
});
client.use(csrf);
