import type { Interval } from '../time/range';

const formats = new Map<string, Intl.DateTimeFormat>();

/** Builds each formatter once: making one costs far more than using it. */
function format(timeZone: string, options: Intl.DateTimeFormatOptions, time: Date): string {
  const key = timeZone + JSON.stringify(options);
  let known = formats.get(key);
  if (known === undefined) {
    known = new Intl.DateTimeFormat('en-GB', { hourCycle: 'h23', ...options, timeZone });
    formats.set(key, known);
  }
  return known.format(time);
}

const CLOCK = { hour: '2-digit', minute: '2-digit' } as const;
const DAY = { day: 'numeric', month: 'short' } as const;

/** 12:03:04 */
export function formatClock(time: string, timeZone: string): string {
  return format(timeZone, { ...CLOCK, second: '2-digit' }, new Date(time));
}

/** 24 Nov 2026 */
export function formatDay(time: string, timeZone: string): string {
  return format(timeZone, { ...DAY, year: 'numeric' }, new Date(time));
}

/** Tue, 24 Nov 2026, 12:03:04 GMT+1 */
export function formatFull(time: string, timeZone: string): string {
  const options = { weekday: 'short', ...DAY, year: 'numeric', ...CLOCK } as const;
  return format(timeZone, { ...options, second: '2-digit', timeZoneName: 'short' }, new Date(time));
}

/** A bucket by its whole name, as in a tooltip or a table. */
export function formatBucket(bucket: string, interval: Interval, timeZone: string): string {
  const time = new Date(bucket);
  switch (interval) {
    case 'minute':
    case 'hour':
      return format(timeZone, { weekday: 'short', ...DAY, ...CLOCK }, time);
    case 'day':
      return format(timeZone, { weekday: 'short', ...DAY, year: 'numeric' }, time);
    case 'week':
      return `Week of ${format(timeZone, { ...DAY, year: 'numeric' }, time)}`;
    case 'month':
      return format(timeZone, { month: 'long', year: 'numeric' }, time);
  }
}

/** A bucket as a label on the axis; `byDay` where hours run over several days. */
export function formatTick(
  bucket: string,
  interval: Interval,
  timeZone: string,
  byDay: boolean,
): string {
  const time = new Date(bucket);
  switch (interval) {
    case 'minute':
      return format(timeZone, CLOCK, time);
    case 'hour':
      return byDay ? format(timeZone, DAY, time) : format(timeZone, CLOCK, time);
    case 'day':
    case 'week':
      return format(timeZone, DAY, time);
    case 'month':
      return format(timeZone, { month: 'short' }, time);
  }
}

const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;
/** Less than this is "just now"; clocks may differ by as much. */
const JUST_NOW_S = 5;

/** How long ago, in the largest unit that says enough. */
export function formatAgo(time: string, now: number): string {
  const seconds = Math.round((now - Date.parse(time)) / 1000);
  const [amount, ahead] = [Math.abs(seconds), seconds < 0];
  if (amount < JUST_NOW_S) return 'just now';
  const text =
    amount < MINUTE_S
      ? `${amount} s`
      : amount < HOUR_S
        ? `${Math.floor(amount / MINUTE_S)} min`
        : amount < DAY_S
          ? `${Math.floor(amount / HOUR_S)} h`
          : `${Math.floor(amount / DAY_S)} d`;
  return ahead ? `in ${text}` : `${text} ago`;
}

/** A lag below this counts as none: a fold takes about as long. */
const LAG_MIN_MS = 1_000;

/** 0 → up to date, 2400 → 2.4 s behind, 125000 → 2 min behind */
export function formatLag(lagMs: number): string {
  if (lagMs < LAG_MIN_MS) return 'Up to date';
  const seconds = lagMs / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s behind`;
  if (seconds < MINUTE_S) return `${Math.round(seconds)} s behind`;
  if (seconds < HOUR_S) return `${Math.floor(seconds / MINUTE_S)} min behind`;
  return `${Math.floor(seconds / HOUR_S)} h behind`;
}
