import { client } from '../api/client';
import { unwrap } from '../api/problem';
import { formatCount } from '../format/numbers';
import { formatBucket } from '../format/times';
import type { Report } from './report';

export const activity: Report = {
  path: 'activity',
  title: 'Activity',
  about: 'How many activities there were on each day.',
  async ask(query) {
    const { series } = await unwrap(client.GET('/v1/reports/activity', { params: { query } }));
    return {
      columns: ['Day', 'Activities'],
      rows: series.map(({ bucket, count }) => [
        formatBucket(bucket, 'day', query.time_zone),
        formatCount(count ?? 0),
      ]),
    };
  },
};
