import type { Scope } from './queries';

/** Shown in place of a token. */
export const TOKEN_PLACEHOLDER = 'dbk_YOUR_TOKEN';

const EXAMPLE = '{"type": "page.viewed", "actor": "ada"}';

/** A curl line that uses the token: it records an activity if the token may, otherwise it reads. */
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
