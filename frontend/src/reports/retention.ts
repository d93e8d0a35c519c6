import { client } from '../api/client';
import { unwrap } from '../api/problem';
import { formatCount } from '../format/numbers';
import type { Report } from './report';

export const retention: Report = {
  path: 'retention',
  title: 'Retention',
  about: 'How many of those who began on a day came back on the days after it.',
  async load(query) {
    const { cohorts } = await unwrap(client.GET('/v1/reports/retention', { params: { query } }));
    const length = Math.max(0, ...cohorts.map(({ retained }) => retained.length));
    const days = Array.from({ length }, (_, day) => day);
    return [
      {
        columns: ['Began', 'Actors', ...days.map((day) => `Day ${day}`)],
        rows: cohorts.map(({ start, size, retained }) => [
          start,
          formatCount(size),
          ...days.map((day) => (retained[day] === undefined ? '' : formatCount(retained[day]))),
        ]),
      },
    ];
  },
};
