import { printExact } from '../api/exact';
import type { ActivityReport, TopReport } from './queries';

/** Types with a colour of their own; the rest is drawn as one. */
export const SLOTS = 7;
/** The slot of all types without a colour of their own. */
export const OTHER_SLOT = 0;
export const OTHER = 'other types';

export type Group = { name: string; total: number; slot: number };
export type Row = { bucket: string; counts: number[]; total: number };
/** `counts[i]` of each row belongs to `groups[i]`. */
export type Series = { groups: Group[]; rows: Row[] };

/** The types that there are, the most frequent first. */
export function typesOf(top: TopReport | undefined): string[] {
  return top === undefined ? [] : top.items.map(({ key }) => nameOf(key));
}

/** Which colour each type has: those with most activities have one of their own. */
export function slotsOf(top: TopReport | undefined): Map<string, number> {
  return new Map(
    typesOf(top)
      .slice(0, SLOTS)
      .map((name, index) => [name, index + 1]),
  );
}

/** Turns a report by type into one row for each bucket and one column for each group; types without a colour share the last column. */
export function toSeries({ series }: ActivityReport, slots: Map<string, number>): Series {
  const totals = new Map<string, number>();
  let rest = 0;
  for (const { group, other, count } of series) {
    const name = nameOf(group);
    if (other === true || !slots.has(name)) rest += count ?? 0;
    else totals.set(name, (totals.get(name) ?? 0) + (count ?? 0));
  }
  const groups: Group[] = [...totals]
    .filter(([, total]) => total > 0)
    .map(([name, total]) => ({ name, total, slot: slots.get(name) ?? OTHER_SLOT }))
    .sort((a, b) => b.total - a.total || a.name.localeCompare(b.name));
  const columns = new Map(groups.map(({ name }, column) => [name, column]));
  if (rest > 0) groups.push({ name: OTHER, total: rest, slot: OTHER_SLOT });

  const rows = new Map<string, Row>();
  for (const { bucket, group, other, count } of series) {
    let row = rows.get(bucket);
    if (row === undefined) {
      row = { bucket, counts: groups.map(() => 0), total: 0 };
      rows.set(bucket, row);
    }
    if (count === null || count === 0) continue;
    const own = other === true ? undefined : columns.get(nameOf(group));
    const column = own ?? groups.length - 1;
    row.counts[column] = (row.counts[column] ?? 0) + count;
    row.total += count;
  }
  return {
    groups,
    rows: [...rows.values()].sort((a, b) => Date.parse(a.bucket) - Date.parse(b.bucket)),
  };
}

/** What a group is called: a text as it is, anything else as JSON. */
function nameOf(group: unknown): string {
  return typeof group === 'string' ? group : printExact(group ?? null);
}
