import { client } from '../api/client';
import { unwrap } from '../api/problem';
import { formatCount, formatShare } from '../format/numbers';
import type { Report } from './report';

export const activeUsers: Report = {
  path: 'active-users',
  title: 'Active users',
  about: 'How many actors were active on each day, and in the 7 and 30 days up to it.',
  async load(query) {
    const call = client.GET('/v1/reports/active-users', { params: { query } });
    const { days } = await unwrap(call);
    return [
      {
        columns: ['Day', 'Daily', 'Weekly', 'Monthly', 'Stickiness'],
        rows: days.map(({ date, daily, weekly, monthly, stickiness }) => [
          date,
          ...[daily, weekly, monthly].map(formatCount),
          stickiness === null ? 'none' : formatShare(stickiness),
        ]),
      },
    ];
  },
};
