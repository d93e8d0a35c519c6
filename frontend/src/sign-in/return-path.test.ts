import { expect, it } from 'vitest';
import { logInThenBackTo, wayBack } from './return-path';

it('log-in leads back to the same place', () => {
  const address = logInThenBackTo({ pathname: '/', search: '?range=7d&type=a.b' });
  const { searchParams } = new URL(address, window.location.origin);
  expect(wayBack(searchParams)).toBe('/?range=7d&type=a.b');
  expect(logInThenBackTo({ pathname: '/', search: '' })).toBe('/log-in');
});

it.each([
  'https://evil.example/',
  '//evil.example',
  '/\\evil.example',
  'javascript:alert(1)',
  '//',
])('log-in does not lead to %s', (next) => {
  expect(wayBack(new URLSearchParams({ next }))).toBe('/');
});
