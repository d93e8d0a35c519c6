import { offsetMs, partsIn, startOfDay } from './zone';

export const RANGES = ['1h', '24h', '7d', '30d', '12mo'] as const;
export type Range = (typeof RANGES)[number];
export type Interval = 'minute' | 'hour' | 'day' | 'week' | 'month';

type About = { label: string; sentence: string; intervals: readonly [Interval, ...Interval[]] };

/** What can be asked of each range; the first interval is the usual one. */
export const ABOUT: Record<Range, About> = {
  '1h': { label: '1 h', sentence: 'the last hour', intervals: ['minute'] },
  '24h': { label: '24 h', sentence: 'the last 24 hours', intervals: ['hour'] },
  '7d': { label: '7 d', sentence: 'the last 7 days', intervals: ['hour', 'day'] },
  '30d': { label: '30 d', sentence: 'the last 30 days', intervals: ['day', 'week'] },
  '12mo': { label: '12 mo', sentence: 'the last 12 months', intervals: ['month', 'week'] },
};

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** The ends of a report: `from` is inclusive, `to` exclusive. */
export type Window = { from: string; to: string };

/**
 * The window of a range that ends with the interval now running, so that the newest activity is in it.
 * Days and months are those of `timeZone`.
 */
export function reportWindow(range: Range, now: Date, timeZone: string): Window {
  const { year, month, day } = partsIn(timeZone, now);
  switch (range) {
    case '1h': {
      const to = ceiling(now, MINUTE_MS, timeZone);
      return between(to - HOUR_MS, to);
    }
    case '24h': {
      const to = ceiling(now, HOUR_MS, timeZone);
      return between(to - 24 * HOUR_MS, to);
    }
    case '7d':
      return between(startOfDay(timeZone, year, month, day - 6), ceiling(now, HOUR_MS, timeZone));
    case '30d':
      return between(
        startOfDay(timeZone, year, month, day - 29),
        startOfDay(timeZone, year, month, day + 1),
      );
    case '12mo':
      return between(
        startOfDay(timeZone, year, month - 11, 1),
        startOfDay(timeZone, year, month, day + 1),
      );
  }
}

/** Active users are counted by day, so that a short range shows its month. */
export function activeUsersWindow(range: Range, now: Date, timeZone: string): Window {
  return reportWindow(range === '12mo' ? '12mo' : '30d', now, timeZone);
}

/** The next full minute or hour of the zone; some zones are half an hour off. */
function ceiling(now: Date, unitMs: number, timeZone: string): number {
  const offset = offsetMs(timeZone, now);
  return (Math.floor((now.getTime() + offset) / unitMs) + 1) * unitMs - offset;
}

function between(from: Date | number, to: Date | number): Window {
  return { from: new Date(from).toISOString(), to: new Date(to).toISOString() };
}
