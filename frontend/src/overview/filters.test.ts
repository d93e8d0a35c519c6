import { describe, expect, it } from 'vitest';
import { RANGE_INFO, RANGES } from '../time/range';
import { readFilters, writeFilters, type Filters } from './filters';

const all: Filters[] = RANGES.flatMap((range) =>
  RANGE_INFO[range].intervals.flatMap((interval) =>
    [undefined, 'page.viewed', 'a&b=c d'].flatMap((type) =>
      [true, false].map((asTable) => ({ range, interval, type, asTable })),
    ),
  ),
);

describe('the address of the overview', () => {
  it.each(all)('reads as what was written: %o', (filters) => {
    const address = writeFilters(filters).toString();
    expect(readFilters(new URLSearchParams(address))).toEqual(filters);
  });

  it('is empty for what is shown by itself', () => {
    const usual = readFilters(new URLSearchParams());
    expect(writeFilters(usual).toString()).toBe('');
  });

  it('counts what it does not know as not said', () => {
    const address = new URLSearchParams('range=9y&interval=eon&view=hologram');
    expect(readFilters(address)).toEqual(readFilters(new URLSearchParams()));
  });

  it('does not keep an interval that its range does not have', () => {
    const { interval } = readFilters(new URLSearchParams('range=1h&interval=month'));
    expect(interval).toBe('minute');
  });
});
