import { expect, it } from 'vitest';
import { passwordFault } from './password-rule';

it('a password has 12 to 128 characters, as a reader counts them', () => {
  expect(passwordFault('a'.repeat(11))).toMatch(/^Too short/);
  expect(passwordFault('🔑'.repeat(6))).toMatch(/^Too short/);
  expect(passwordFault('🔑'.repeat(12))).toBeUndefined();
  expect(passwordFault('a'.repeat(128))).toBeUndefined();
  expect(passwordFault('a'.repeat(129))).toMatch(/^Too long/);
});
