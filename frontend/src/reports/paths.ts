import { client } from '../api/client';
import { unwrap } from '../api/problem';
import { formatCount } from '../format/numbers';
import type { Report } from './report';

export const paths: Report = {
  path: 'paths',
  title: 'Paths',
  about: 'Which types follow a type within a session, up to three steps after it.',
  types: { parameter: 'start', label: 'Type to begin with', min: 1, max: 1 },
  async ask(asked, [start]) {
    const query = { ...asked, ...(start !== undefined && { start }) };
    const { nodes } = await unwrap(client.GET('/v1/reports/paths', { params: { query } }));
    return {
      columns: ['Steps after', 'Type', 'Activities'],
      rows: nodes.map(({ depth, type, count }) => [String(depth), type, formatCount(count)]),
    };
  },
};
