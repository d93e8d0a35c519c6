import { client } from '../api/client';
import { unwrap } from '../api/problem';
import { formatCount } from '../format/numbers';
import type { Report } from './report';

export const sessions: Report = {
  path: 'sessions',
  title: 'Sessions',
  about: 'How many sessions began on each day; one ends with a pause of 30 minutes.',
  async load(query) {
    const { days } = await unwrap(client.GET('/v1/reports/sessions', { params: { query } }));
    return [
      {
        columns: ['Day', 'Sessions', 'Actors'],
        rows: days.map((day) => [day.date, formatCount(day.sessions), formatCount(day.actors)]),
      },
    ];
  },
};
