import type { Scope } from './queries';

/** Stands where a token will stand. */
export const TOKEN_PLACEHOLDER = 'dbk_YOUR_TOKEN';

const EXAMPLE = '{"type": "page.viewed", "actor": "ada"}';

/** A line for the terminal that shows what a token is good for: to record if it may, otherwise to read. */
export function curlLine(origin: string, token: string, scopes: readonly Scope[]): string {
  const authorization = `-H 'authorization: Bearer ${token}'`;
  if (scopes.includes('ingest')) {
    return [
      `curl ${origin}/v1/activities`,
      authorization,
      `-H 'content-type: application/json'`,
      `-d '${EXAMPLE}'`,
    ].join(' \\\n  ');
  }
  const path = scopes.includes('read')
    ? '/v1/activities'
    : scopes.includes('audit')
      ? '/v1/history'
      : '/v1/tokens';
  return `curl ${origin}${path} \\\n  ${authorization}`;
}
