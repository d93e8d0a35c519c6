export const RANGES = ['1h', '24h', '7d', '30d', '12mo'] as const;
export type Range = (typeof RANGES)[number];
export type Interval = 'minute' | 'hour' | 'day' | 'week' | 'month';

type About = { label: string; sentence: string; intervals: readonly [Interval, ...Interval[]] };

/** What can be asked of each range; the first interval is the usual one. */
export const RANGE_INFO: Record<Range, About> = {
  '1h': { label: '1 h', sentence: 'the last hour', intervals: ['minute'] },
  '24h': { label: '24 h', sentence: 'the last 24 hours', intervals: ['hour'] },
  '7d': { label: '7 d', sentence: 'the last 7 days', intervals: ['hour', 'day'] },
  '30d': { label: '30 d', sentence: 'the last 30 days', intervals: ['day', 'week'] },
  '12mo': { label: '12 mo', sentence: 'the last 12 months', intervals: ['month', 'week'] },
};

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** The hour that ends with the minute now running, so that the newest activity is in it; `to` is exclusive. */
export function lastHour(now: number): { from: string; to: string } {
  const to = (Math.floor(now / MINUTE_MS) + 1) * MINUTE_MS;
  return { from: new Date(to - HOUR_MS).toISOString(), to: new Date(to).toISOString() };
}
