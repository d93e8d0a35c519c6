import { describe, expect, it } from 'vitest';
import { labelledBuckets, valueTicks } from './scale';

describe('the axis of values', () => {
  it.each([0, 1, 3, 7, 99, 101, 12_345, 9_999_999])('reaches from 0 to at least %i', (max) => {
    const ticks = valueTicks(max);
    expect(ticks[0]).toBe(0);
    expect(ticks.at(-1)).toBeGreaterThanOrEqual(max);
    expect(ticks.length).toBeLessThanOrEqual(7);
  });

  it('counts in whole numbers', () => {
    expect(valueTicks(2)).toEqual([0, 1, 2]);
  });
});

describe('the axis of time', () => {
  const hours = Array.from({ length: 24 }, (_, hour) =>
    new Date(Date.UTC(2026, 10, 24, hour)).toISOString(),
  );

  it('has as many labels as fit', () => {
    for (const max of [2, 5, 8, 24]) {
      expect(labelledBuckets(hours, 'hour', 'UTC', max).length).toBeLessThanOrEqual(max);
    }
  });

  it('has them at round hours of the zone', () => {
    const berlin = labelledBuckets(hours, 'hour', 'Europe/Berlin', 8).map(
      (index) => (index + 1) % 24,
    );
    expect(berlin.every((hour) => hour % 3 === 0)).toBe(true);
  });
});
