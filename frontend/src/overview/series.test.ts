import { describe, expect, it } from 'vitest';
import type { ActivityReport, TopReport } from './queries';
import { OTHER, SLOTS, slotsOf, toSeries, typesOf } from './series';

const [NINE, TEN] = ['2026-11-24T09:00:00Z', '2026-11-24T10:00:00Z'];
const progress = { customer_id: 'c1', as_of: { position: 1, time: null }, lag_ms: 0 };

function report(series: ActivityReport['series']): ActivityReport {
  const total = series.reduce((sum, { count }) => sum + (count ?? 0), 0);
  return { total, series, ...progress };
}

function top(...keys: unknown[]): TopReport {
  const items = keys.map((key, index) => ({ key, count: 100 - index, actors: 1 }));
  return { items, ...progress };
}

const types = (length: number) => Array.from({ length }, (_, index) => `type-${index}`);

describe('the series of a report', () => {
  it('has its types in the order of the report of the largest ones', () => {
    expect(typesOf(top('c', 'a', 'b'))).toEqual(['c', 'a', 'b']);
    expect(typesOf(undefined)).toEqual([]);
  });

  it('ranks the groups by count, and equal ones by name', () => {
    const of = report([
      { bucket: NINE, group: 'b', count: 2 },
      { bucket: NINE, group: 'c', count: 5 },
      { bucket: TEN, group: 'a', count: 2 },
      { bucket: TEN, group: 'none', count: 0 },
    ]);
    const { groups } = toSeries(of, slotsOf(top('a', 'b', 'c', 'none')));
    expect(groups.map(({ name }) => name)).toEqual(['c', 'a', 'b']);
  });

  it('gives the most frequent types a colour and draws the others as one', () => {
    const names = types(SLOTS + 2);
    const of = report(names.map((group, index) => ({ bucket: NINE, group, count: 100 - index })));
    const { groups, rows } = toSeries(of, slotsOf(top(...names)));
    expect(groups).toHaveLength(SLOTS + 1);
    expect(groups.at(-1)).toEqual({ name: OTHER, slot: 0, total: 93 + 92 });
    expect(rows[0]?.counts.at(-1)).toBe(93 + 92);
    expect(rows[0]?.total).toBe(of.total);
  });

  it('counts what the report has cut off among the others', () => {
    const names = types(SLOTS + 1);
    const cut = { bucket: NINE, other: true, count: 7 };
    const of = report([...names.map((group) => ({ bucket: NINE, group, count: 10 })), cut]);
    const { groups, rows } = toSeries(of, slotsOf(top(...names)));
    expect(groups.at(-1)).toEqual({ name: OTHER, slot: 0, total: 10 + 7 });
    expect(rows).toEqual([expect.objectContaining({ total: of.total })]);
    expect(rows[0]?.counts.at(-1)).toBe(10 + 7);
  });

  it('names a group that is no text as it was sent', () => {
    const of = report([
      { bucket: NINE, group: null, count: 3 },
      { bucket: NINE, group: 7, count: 2 },
      { bucket: NINE, group: true, count: 1 },
    ]);
    const { groups } = toSeries(of, slotsOf(top(null, 7, true)));
    expect(groups.map(({ name }) => name)).toEqual(['null', '7', 'true']);
  });

  it('keeps the colour that a type has among all types when only it is shown', () => {
    const { groups } = toSeries(
      report([{ bucket: NINE, group: 'seldom', count: 1 }]),
      slotsOf(top('often', 'seldom')),
    );
    expect(groups).toEqual([{ name: 'seldom', slot: 2, total: 1 }]);
  });

  it('has a row for every bucket in order of time, the empty ones too', () => {
    const of = report([
      { bucket: TEN, group: 'a', count: 1 },
      { bucket: NINE, group: 'a', count: 0 },
    ]);
    expect(toSeries(of, slotsOf(top('a'))).rows).toEqual([
      { bucket: NINE, counts: [0], total: 0 },
      { bucket: TEN, counts: [1], total: 1 },
    ]);
  });
});
