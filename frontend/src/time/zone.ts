/** The parts of a moment as the clocks of a zone show them. */
type Parts = { year: number; month: number; day: number; hour: number; minute: number };

const formats = new Map<string, Intl.DateTimeFormat>();

function format(timeZone: string) {
  let known = formats.get(timeZone);
  if (known === undefined) {
    known = new Intl.DateTimeFormat('en-GB', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
    });
    formats.set(timeZone, known);
  }
  return known;
}

/** What the clocks of the zone show at that moment; months count from 1. */
export function partsIn(timeZone: string, moment: Date): Parts {
  const parts = { year: 0, month: 0, day: 0, hour: 0, minute: 0 };
  for (const { type, value } of format(timeZone).formatToParts(moment)) {
    if (type in parts) parts[type as keyof Parts] = Number(value);
  }
  return parts;
}

const MINUTE_MS = 60_000;

/** How far the zone is ahead of UTC at that moment, in milliseconds. */
export function offsetMs(timeZone: string, moment: Date): number {
  const { year, month, day, hour, minute } = partsIn(timeZone, moment);
  const shown = Date.UTC(year, month - 1, day, hour, minute);
  return shown - Math.floor(moment.getTime() / MINUTE_MS) * MINUTE_MS;
}

const DAY_MS = 24 * 60 * MINUTE_MS;

/**
 * The moment at which a day begins in a zone. Months and days may run over, as in `Date.UTC`.
 *
 * Where clocks skip midnight, the day begins with the first moment after it; where they show it twice, with the first.
 */
export function startOfDay(timeZone: string, year: number, month: number, day: number): Date {
  const shown = Date.UTC(year, month - 1, day);
  // Clocks change once in two days at most: the offset is that of the day before, or that of the day after.
  const candidates = [shown - DAY_MS, shown + DAY_MS].map(
    (near) => new Date(shown - offsetMs(timeZone, new Date(near))),
  );
  const isThere = (moment: Date) => moment.getTime() + offsetMs(timeZone, moment) >= shown;
  const earliest = candidates.filter(isThere).map((moment) => moment.getTime());
  return new Date(Math.min(...earliest));
}

/** The time zone of this browser. */
export function browserTimeZone(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone || 'UTC';
}

/** Every zone the browser knows, with UTC. */
export function timeZones(): string[] {
  const known = Intl.supportedValuesOf('timeZone');
  return known.includes('UTC') ? known : ['UTC', ...known];
}

/** The date of today in a zone, as a date field writes it: 2026-11-24. */
export function today(timeZone: string, now = new Date()): string {
  const { year, month, day } = partsIn(timeZone, now);
  return `${year}-${String(month).padStart(2, '0')}-${String(day).padStart(2, '0')}`;
}

/** The moment at which a date field's day is over in a zone. */
export function endOfDay(timeZone: string, date: string): string {
  const [year = 0, month = 1, day = 1] = date.split('-').map(Number);
  return startOfDay(timeZone, year, month, day + 1).toISOString();
}
