import type { ResponseBody } from '../api/bodies';
import { client } from '../api/client';
import { printExact } from '../api/exact';
import { unwrap } from '../api/problem';
import { formatCount } from '../format/numbers';
import { formatBucket } from '../format/times';
import type { Report, Table } from './report';

const MEASURES = {
  count: 'Activities',
  actors: 'Actors',
  sum: 'Sum of values',
  mean: 'Mean of values',
  min: 'Least value',
  max: 'Greatest value',
  p50: 'Median of values',
  p90: '90th percentile of values',
  p99: '99th percentile of values',
} as const;
const INTERVALS = { day: 'Day', hour: 'Hour', week: 'Week', month: 'Month' } as const;

const options = (labels: Record<string, string>) =>
  Object.entries(labels).map(([value, label]) => ({ value, label })) as [
    { value: string; label: string },
  ];
const isKey = <T extends object>(labels: T, key: string): key is keyof T & string => key in labels;

export const activity: Report = {
  path: 'activity',
  title: 'Activity',
  about: 'How many activities there were, or a measure of them, in each interval.',
  choices: [
    { kind: 'select', parameter: 'measure', label: 'Measure', options: options(MEASURES) },
    { kind: 'select', parameter: 'interval', label: 'Interval', options: options(INTERVALS) },
    {
      kind: 'text',
      parameter: 'group_by',
      label: 'Group by',
      example: 'type, actor, properties.plan',
    },
    { kind: 'filter', parameter: 'filter', label: 'Only where' },
  ],
  async load(query, _types, { measure = 'count', interval = 'day', group_by, filter }) {
    if (!isKey(MEASURES, measure) || !isKey(INTERVALS, interval)) return [];
    const call = client.GET('/v1/reports/activity', {
      params: {
        query: {
          ...query,
          measure,
          interval,
          ...(group_by !== undefined && { group_by: [group_by] }),
          ...(filter !== undefined && { filter: [filter] }),
        },
      },
    });
    const { series } = await unwrap(call);
    const name = (bucket: string) => formatBucket(bucket, interval, query.time_zone);
    return [toTable(series, INTERVALS[interval], MEASURES[measure], name)];
  },
};

type Series = ResponseBody<'/v1/reports/activity'>['series'];

/** A row for each bucket; a column for each group, or one for all. */
function toTable(
  series: Series,
  heading: string,
  measure: string,
  name: (bucket: string) => string,
): Table {
  const groups: string[] = [];
  const rows = new Map<string, Map<string, string>>();
  for (const point of series) {
    const group = groupName(point, measure);
    if (!groups.includes(group)) groups.push(group);
    const row = rows.get(point.bucket) ?? new Map<string, string>();
    rows.set(
      point.bucket,
      row.set(group, point.count === null ? 'none' : formatCount(point.count)),
    );
  }
  return {
    columns: [heading, ...groups],
    rows: [...rows].map(([bucket, row]) => [
      name(bucket),
      ...groups.map((group) => row.get(group) ?? ''),
    ]),
  };
}

function groupName({ group, other }: Series[number], measure: string): string {
  if (other === true) return 'other';
  if (group === undefined) return measure;
  return typeof group === 'string' ? group : printExact(group);
}
