import { client } from '../api/client';
import { unwrap } from '../api/problem';
import { formatCount, formatShare } from '../format/numbers';
import { formatSeconds } from './format';
import type { Report } from './report';

export const funnel: Report = {
  path: 'funnel',
  title: 'Funnel',
  about: 'How many actors went through these types, one after the other, within 7 days.',
  types: { parameter: 'step', label: 'Types, in order, with commas between them', min: 2, max: 10 },
  async load(reportQuery, step) {
    const call = client.GET('/v1/reports/funnel', { params: { query: { ...reportQuery, step } } });
    const { steps } = await unwrap(call);
    return [
      {
        columns: ['Step', 'Actors', 'Of the first', 'Of the one before', 'Median time'],
        rows: steps.map((one, index) => [
          one.type ?? `Step ${index + 1}`,
          formatCount(one.actors),
          one.conversion === null ? 'none' : formatShare(one.conversion),
          one.conversion_from_previous === null
            ? 'none'
            : formatShare(one.conversion_from_previous),
          formatSeconds(one.median_s),
        ]),
      },
    ];
  },
};
