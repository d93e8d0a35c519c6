import { expect, it } from 'vitest';
import { curlLine } from './curl';

const ORIGIN = 'https://daybook.example';

it('a token that may record is shown recording', () => {
  expect(curlLine(ORIGIN, 'dbk_x', ['ingest', 'read'])).toBe(
    [
      'curl https://daybook.example/v1/activities \\',
      "  -H 'authorization: Bearer dbk_x' \\",
      "  -H 'content-type: application/json' \\",
      '  -d \'{"type": "page.viewed", "actor": "ada"}\'',
    ].join('\n'),
  );
});

it.each([
  [['read', 'audit'], '/v1/activities'],
  [['audit'], '/v1/history'],
  [['admin'], '/v1/tokens'],
] as const)('a token for %s is shown reading %s', (scopes, path) => {
  expect(curlLine(ORIGIN, 'dbk_x', scopes)).toBe(
    `curl ${ORIGIN}${path} \\\n  -H 'authorization: Bearer dbk_x'`,
  );
});
