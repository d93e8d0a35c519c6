import { expect, it } from 'vitest';
import { logInPathFor, returnPath } from './return-path';

it('log-in leads back to the same place', () => {
  const address = logInPathFor({ pathname: '/', search: '?range=7d&type=a.b' });
  const { searchParams } = new URL(address, window.location.origin);
  expect(returnPath(searchParams)).toBe('/?range=7d&type=a.b');
  expect(logInPathFor({ pathname: '/', search: '' })).toBe('/log-in');
});

it.each([
  'https://evil.example/',
  '//evil.example',
  '/\\evil.example',
  'javascript:alert(1)',
  '//',
])('log-in does not lead to %s', (next) => {
  expect(returnPath(new URLSearchParams({ next }))).toBe('/');
});
