import { expect, it } from 'vitest';
import { lastHour } from './range';

it('the last hour ends with the running minute', () => {
  const whole = { from: '2026-11-24T20:31:00.000Z', to: '2026-11-24T21:31:00.000Z' };
  expect(lastHour(Date.parse('2026-11-24T21:30:00.000Z'))).toEqual(whole);
  expect(lastHour(Date.parse('2026-11-24T21:30:59.999Z'))).toEqual(whole);
});
