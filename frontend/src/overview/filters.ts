import { RANGE_INFO, RANGES, type Interval, type Range } from '../time/range';

/** What the overview shows. All of it is in the address, so that a link reproduces the view. */
export type Filters = {
  range: Range;
  interval: Interval;
  type: string | undefined;
  asTable: boolean;
};

export const DEFAULT_RANGE: Range = '24h';

/** Reads an address; unknown values count as the default. */
export function readFilters(address: URLSearchParams): Filters {
  const range = RANGES.find((known) => known === address.get('range')) ?? DEFAULT_RANGE;
  const { intervals } = RANGE_INFO[range];
  return {
    range,
    interval: intervals.find((known) => known === address.get('interval')) ?? intervals[0],
    type: address.get('type') ?? undefined,
    asTable: address.get('view') === 'table',
  };
}

/** The shortest address for these filters: defaults are left out. */
export function writeFilters({ range, interval, type, asTable }: Filters): URLSearchParams {
  const address = new URLSearchParams();
  if (range !== DEFAULT_RANGE) address.set('range', range);
  if (
    interval !== RANGE_INFO[range].intervals[0] &&
    RANGE_INFO[range].intervals.includes(interval)
  ) {
    address.set('interval', interval);
  }
  if (type !== undefined && type !== '') address.set('type', type);
  if (asTable) address.set('view', 'table');
  return address;
}
