import { client } from '../api/client';
import { printExact } from '../api/exact';
import { unwrap } from '../api/problem';
import { formatCount } from '../format/numbers';
import type { Report } from './report';

export const top: Report = {
  path: 'top',
  title: 'Top types',
  about: 'Which types have most activities.',
  async load(query) {
    const { items } = await unwrap(client.GET('/v1/reports/top', { params: { query } }));
    return [
      {
        columns: ['Type', 'Activities', 'Actors'],
        rows: items.map(({ key, count, actors }) => [
          typeof key === 'string' ? key : printExact(key),
          formatCount(count),
          formatCount(actors),
        ]),
      },
    ];
  },
};
