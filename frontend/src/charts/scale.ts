import type { Interval } from '../time/range';
import { partsIn } from '../time/zone';

const TICKS_AIM = 4;

/** About four round whole values from 0 to at least `max`. */
export function valueTicks(max: number): number[] {
  if (max <= 0) return [0, 1];
  const rough = max / TICKS_AIM;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = Math.max(1, ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power);
  const ticks: number[] = [];
  for (let tick = 0; tick < max + step; tick += step) ticks.push(tick);
  return ticks;
}

const HOURS_OF_ONE_DAY = 48;

/** Whether hours are so many that the axis should name days. */
export function isByDay(interval: Interval, length: number): boolean {
  return interval === 'hour' && length > HOURS_OF_ONE_DAY;
}

/** Which buckets have a label: at round times, and not more than fit. */
export function labelledBuckets(
  buckets: readonly string[],
  interval: Interval,
  timeZone: string,
  labelsMax: number,
): number[] {
  const all = [...buckets.keys()];
  const parts = buckets.map((bucket) => partsIn(timeZone, new Date(bucket)));
  const fits = (indices: number[]) => indices.length <= labelsMax;
  const every = (step: number, indices: number[]) =>
    indices.filter((_, index) => (indices.length - 1 - index) % step === 0);

  if (interval === 'minute') {
    for (const step of [5, 10, 15, 30]) {
      const indices = all.filter((index) => (parts[index]?.minute ?? 0) % step === 0);
      if (fits(indices)) return indices;
    }
  }
  if (interval === 'hour' && !isByDay(interval, buckets.length)) {
    for (const step of [1, 2, 3, 6, 12]) {
      const indices = all.filter((index) => (parts[index]?.hour ?? 0) % step === 0);
      if (fits(indices)) return indices;
    }
  }
  const starts = isByDay(interval, buckets.length)
    ? // The first hour of a day, which is not midnight's where clocks skip it.
      all.filter((index) => index > 0 && parts[index]?.day !== parts[index - 1]?.day)
    : all;
  let step = 1;
  while (step < starts.length && !fits(every(step, starts))) step += 1;
  return every(step, starts);
}
