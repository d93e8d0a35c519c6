import { client } from '../api/client';
import { unwrap } from '../api/problem';
import { formatCount } from '../format/numbers';
import type { Report } from './report';

export const paths: Report = {
  path: 'paths',
  title: 'Paths',
  about: 'Which types follow a type within a session, up to three steps after it.',
  types: { parameter: 'start', label: 'Type to begin with', min: 1, max: 1 },
  async load(reportQuery, [start]) {
    const query = { ...reportQuery, ...(start !== undefined && { start }) };
    const { nodes, links } = await unwrap(client.GET('/v1/reports/paths', { params: { query } }));
    // A link names its ends by their place in the list of nodes.
    const nameOf = (index: number) => {
      const node = nodes[index];
      return node === undefined ? '' : `${node.type} (${node.depth})`;
    };
    return [
      {
        columns: ['Steps after', 'Type', 'Activities'],
        rows: nodes.map(({ depth, type, count }) => [String(depth), type, formatCount(count)]),
      },
      {
        title: 'From one step to the next',
        columns: ['From (step)', 'To (step)', 'Activities'],
        rows: links.map(({ from, to, count }) => [nameOf(from), nameOf(to), formatCount(count)]),
      },
    ];
  },
};
