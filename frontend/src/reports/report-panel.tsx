import { useQuery } from '@tanstack/react-query';
import { Loaded, SkeletonLines } from '../components/loaded';
import { Panel } from '../components/panel';
import { ScrollTable } from '../components/scroll-table';
import { TableHead } from '../components/table-head';
import { useSession } from '../layout/members-only';
import type { Chosen } from './choices';
import { csvAddress, type NamedRange, type Report, type Table } from './report';

const SKELETON_LINES = 6;

type Props = { report: Report; range: NamedRange; typesText: string; chosen: Chosen };

/** A report as tables, with a link to the same as CSV. */
export function ReportPanel({ report, range, typesText, chosen }: Props) {
  const reportQuery = { range, time_zone: useSession().customer.time_zone };
  const { min, max } = report.types ?? { min: 0, max: 0 };
  const named = typesText.split(',').map((type) => type.trim());
  const types = named.filter((type) => type !== '').slice(0, max);
  const isEnough = types.length >= min;
  const query = useQuery({
    queryKey: ['reports', report.path, reportQuery, types, chosen],
    queryFn: () => report.load(reportQuery, types, chosen),
    enabled: isEnough,
  });
  return (
    <Panel
      title={report.title}
      aside={
        isEnough ? <a href={csvAddress(report, reportQuery, types, chosen)}>CSV</a> : undefined
      }
    >
      <p>{report.about}</p>
      {isEnough ? (
        <Loaded query={query} skeleton={<SkeletonLines count={SKELETON_LINES} />}>
          {(tables) => <Tables title={report.title} tables={tables} />}
        </Loaded>
      ) : (
        <p className="nothing">Name {min === 1 ? 'a type' : `${min} to ${max} types`} first.</p>
      )}
    </Panel>
  );
}

function Tables({ title, tables }: { title: string; tables: Table[] }) {
  const filled = tables.filter(({ rows }) => rows.length > 0);
  if (filled.length === 0) return <p className="nothing">Nothing in this range.</p>;
  return filled.map((table) => (
    <section key={table.title ?? title}>
      {table.title !== undefined && <h3>{table.title}</h3>}
      <ScrollTable label={table.title ?? `${title} as a table`}>
        <TableHead columns={table.columns} />
        <tbody>
          {table.rows.map((row, index) => (
            <tr key={index}>
              {row.map((cell, column) => (
                <td key={column}>{cell}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </ScrollTable>
    </section>
  ));
}
