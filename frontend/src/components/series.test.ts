import { describe, expect, it } from 'vitest';
import type { ActivityReport } from '../api/reports';
import { OTHER, rankedGroups, SLOTS, slotsOf, toSeries } from './series';

const [NINE, TEN] = ['2026-11-24T09:00:00Z', '2026-11-24T10:00:00Z'];

function report(series: ActivityReport['series']): ActivityReport {
  const total = series.reduce((sum, { count }) => sum + count, 0);
  return { total, series, as_of: { position: 1, time: null }, lag_ms: 0 };
}

describe('the series of a report', () => {
  it('ranks the types by count, and equal ones by name', () => {
    const of = report([
      { bucket: NINE, group: 'b', count: 2 },
      { bucket: NINE, group: 'c', count: 5 },
      { bucket: TEN, group: 'a', count: 2 },
      { bucket: TEN, group: 'none', count: 0 },
    ]);
    expect(rankedGroups(of).map(({ name }) => name)).toEqual(['c', 'a', 'b']);
  });

  it('gives the most frequent types a colour and draws the others as one', () => {
    const names = Array.from({ length: SLOTS + 2 }, (_, index) => `type-${index}`);
    const of = report(names.map((group, index) => ({ bucket: NINE, group, count: 100 - index })));
    const { groups, rows } = toSeries(of, slotsOf(of));
    expect(groups).toHaveLength(SLOTS + 1);
    expect(groups.at(-1)).toEqual({ name: OTHER, slot: 0, total: 93 + 92 });
    expect(rows[0]?.counts.at(-1)).toBe(93 + 92);
    expect(rows[0]?.total).toBe(of.total);
  });

  it('counts what the report has cut off among the others', () => {
    const names = Array.from({ length: SLOTS + 1 }, (_, index) => `type-${index}`);
    const cut = { bucket: NINE, other: true, count: 7 };
    const of = report([...names.map((group) => ({ bucket: NINE, group, count: 10 })), cut]);
    const { groups, rows } = toSeries(of, slotsOf(of));
    expect(groups.at(-1)).toEqual({ name: OTHER, slot: 0, total: 10 + 7 });
    expect(rows).toEqual([expect.objectContaining({ total: of.total })]);
    expect(rows[0]?.counts.at(-1)).toBe(10 + 7);
  });

  it('keeps the colour that a type has among all types when only it is shown', () => {
    const all = report([
      { bucket: NINE, group: 'often', count: 9 },
      { bucket: NINE, group: 'seldom', count: 1 },
    ]);
    const { groups } = toSeries(
      report([{ bucket: NINE, group: 'seldom', count: 1 }]),
      slotsOf(all),
    );
    expect(groups).toEqual([{ name: 'seldom', slot: 2, total: 1 }]);
  });

  it('has a row for every bucket in order of time, the empty ones too', () => {
    const of = report([
      { bucket: TEN, group: 'a', count: 1 },
      { bucket: NINE, count: 0 },
    ]);
    expect(toSeries(of, slotsOf(of)).rows).toEqual([
      { bucket: NINE, counts: [0], total: 0 },
      { bucket: TEN, counts: [1], total: 1 },
    ]);
  });
});
