import type { ActivityReport } from '../api/reports';

/** Types with a colour of their own; the rest is drawn as one. */
export const SLOTS = 7;
/** The slot of everything without a colour of its own. */
export const OTHER_SLOT = 0;
export const OTHER = 'other types';

/** A bucket of a group; where there are more groups than were asked for, the rest is one without a name. */
type Bucket = ActivityReport['series'][number] & { other?: boolean };

export type Group = { name: string; total: number; slot: number };
export type Row = { bucket: string; counts: number[]; total: number };
/** `counts[i]` of each row belongs to `groups[i]`. */
export type Series = { groups: Group[]; rows: Row[] };

/** The names of a report's groups, those with most activities first. */
export function rankedGroups(report: ActivityReport): { name: string; total: number }[] {
  const totals = new Map<string, number>();
  for (const { group, count } of report.series) {
    if (group != null) totals.set(group, (totals.get(group) ?? 0) + count);
  }
  return [...totals]
    .filter(([, total]) => total > 0)
    .map(([name, total]) => ({ name, total }))
    .sort((a, b) => b.total - a.total || a.name.localeCompare(b.name));
}

/** Which colour each type has: those with most activities have one of their own. */
export function slotsOf(report: ActivityReport | undefined): Map<string, number> {
  const ranked = report === undefined ? [] : rankedGroups(report);
  return new Map(ranked.slice(0, SLOTS).map(({ name }, index) => [name, index + 1]));
}

/** Turns a report by type into a row a bucket and a column a group. */
export function toSeries(report: ActivityReport, slots: Map<string, number>): Series {
  const groups: Group[] = [];
  const columns = new Map<string, number>();
  let other: Group | undefined;
  for (const { name, total } of rankedGroups(report)) {
    const slot = slots.get(name);
    if (slot !== undefined) {
      columns.set(name, groups.length);
      groups.push({ name, total, slot });
    } else {
      other = { name: OTHER, total: (other?.total ?? 0) + total, slot: OTHER_SLOT };
    }
  }
  const buckets: readonly Bucket[] = report.series;
  const rest = buckets.reduce((sum, { other: isRest, count }) => sum + (isRest ? count : 0), 0);
  if (rest > 0) other = { name: OTHER, total: (other?.total ?? 0) + rest, slot: OTHER_SLOT };
  if (other !== undefined) groups.push(other);

  const rows = new Map<string, Row>();
  for (const { bucket, group, count, other: isRest } of buckets) {
    let row = rows.get(bucket);
    if (row === undefined) {
      row = { bucket, counts: groups.map(() => 0), total: 0 };
      rows.set(bucket, row);
    }
    if (count === 0 || (group == null && isRest !== true)) continue;
    const own = group == null ? undefined : columns.get(group);
    // What has no column of its own is in the last one.
    const column = own ?? groups.length - 1;
    row.counts[column] = (row.counts[column] ?? 0) + count;
    row.total += count;
  }
  return {
    groups,
    rows: [...rows.values()].sort((a, b) => Date.parse(a.bucket) - Date.parse(b.bucket)),
  };
}
