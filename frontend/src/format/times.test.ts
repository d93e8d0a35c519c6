import { describe, expect, it } from 'vitest';
import { formatAgo, formatBucket, formatLag } from './times';

const NOW = Date.parse('2026-11-24T12:00:00Z');
const before = (seconds: number) => new Date(NOW - seconds * 1000).toISOString();

describe('how long ago', () => {
  it.each([
    [2, 'just now'],
    [42, '42 s ago'],
    [119, '1 min ago'],
    [7_200, '2 h ago'],
    [3 * 86_400, '3 d ago'],
    [-3_600, 'in 1 h'],
  ])('%i s: %s', (seconds, text) => {
    expect(formatAgo(before(seconds), NOW)).toBe(text);
  });
});

describe('the lag of a report', () => {
  it.each([
    [0, 'Up to date'],
    [999, 'Up to date'],
    [2_400, '2.4 s behind'],
    [59_000, '59 s behind'],
    [125_000, '2 min behind'],
    [7_300_000, '2 h behind'],
  ])('%i ms: %s', (lag, text) => {
    expect(formatLag(lag)).toBe(text);
  });
});

it('a bucket is named in its own zone', () => {
  const midnight = '2026-11-23T23:00:00Z';
  expect(formatBucket(midnight, 'day', 'Europe/Berlin')).toBe('Tue, 24 Nov 2026');
  expect(formatBucket(midnight, 'week', 'Europe/Berlin')).toBe('Week of 24 Nov 2026');
});
