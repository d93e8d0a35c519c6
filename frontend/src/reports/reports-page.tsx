import { useQuery } from '@tanstack/react-query';
import { useSearchParams } from 'react-router';
import { Loaded, SkeletonLines } from '../components/loaded';
import { Panel } from '../components/panel';
import { ScrollTable } from '../components/scroll-table';
import { SegmentedControl } from '../components/segmented-control';
import { TableHead } from '../components/table-head';
import { useSession } from '../layout/members-only';
import { PageHead } from '../layout/page-head';
import { RANGE_INFO, RANGES } from '../time/range';
import { REPORTS } from './all';
import { csvAddress, type NamedRange, type Report, type Table } from './report';

const NAMED = RANGES.filter((range): range is NamedRange => range !== '1h');
const DEFAULT_NAMED_RANGE: NamedRange = '30d';
const SKELETON_LINES = 6;

/** One report and one range; both are in the address, so that a link shows the same to someone else. */
export function ReportsPage() {
  const [address, setAddress] = useSearchParams();
  const report = REPORTS.find(({ path }) => path === address.get('report')) ?? REPORTS[0];
  const range = NAMED.find((known) => known === address.get('range')) ?? DEFAULT_NAMED_RANGE;
  const text = address.get('types') ?? '';
  const show = (changed: Record<string, string>) =>
    setAddress(
      { report: report.path, range, ...(text !== '' && { types: text }), ...changed },
      { preventScrollReset: true },
    );
  return (
    <>
      <PageHead title="Reports">
        <div className="filters" role="group" aria-label="What the page shows">
          <label className="filter-type">
            <span className="visually-hidden">Report</span>
            <select value={report.path} onChange={({ target }) => show({ report: target.value })}>
              {REPORTS.map(({ path, title }) => (
                <option key={path} value={path}>
                  {title}
                </option>
              ))}
            </select>
          </label>
          <SegmentedControl
            legend="Range"
            value={range}
            options={NAMED.map((value) => ({ value, label: RANGE_INFO[value].label }))}
            onChoose={(chosen) => show({ range: chosen })}
          />
        </div>
      </PageHead>
      {report.types !== undefined && (
        <form
          key={report.path}
          className="form"
          onSubmit={(event) => {
            event.preventDefault();
            const typed = new FormData(event.currentTarget).get('types');
            show({ types: typeof typed === 'string' ? typed : '' });
          }}
        >
          <div className="field">
            <label htmlFor="types">{report.types.label}</label>
            <input id="types" name="types" defaultValue={text} autoComplete="off" />
          </div>
          <button className="button">Show</button>
        </form>
      )}
      <ReportPanel report={report} range={range} text={text} />
    </>
  );
}

type Props = { report: Report; range: NamedRange; text: string };

function ReportPanel({ report, range, text }: Props) {
  const asked = { range, time_zone: useSession().customer.time_zone };
  const { min, max } = report.types ?? { min: 0, max: 0 };
  const named = text.split(',').map((type) => type.trim());
  const types = named.filter((type) => type !== '').slice(0, max);
  const isEnough = types.length >= min;
  const query = useQuery({
    queryKey: ['reports', report.path, asked, types],
    queryFn: () => report.ask(asked, types),
    enabled: isEnough,
  });
  return (
    <Panel
      title={report.title}
      aside={isEnough ? <a href={csvAddress(report, asked, types)}>CSV</a> : undefined}
    >
      <p>{report.about}</p>
      {isEnough ? (
        <Loaded query={query} skeleton={<SkeletonLines count={SKELETON_LINES} />}>
          {(table) => <Answer title={report.title} table={table} />}
        </Loaded>
      ) : (
        <p className="nothing">Name {min === 1 ? 'a type' : `${min} to ${max} types`} first.</p>
      )}
    </Panel>
  );
}

function Answer({ title, table: { columns, rows } }: { title: string; table: Table }) {
  if (rows.length === 0) return <p className="nothing">Nothing in this range.</p>;
  return (
    <ScrollTable label={title}>
      <TableHead columns={columns} />
      <tbody>
        {rows.map((row, index) => (
          <tr key={index}>
            {row.map((cell, column) => (
              <td key={columns[column]}>{cell}</td>
            ))}
          </tr>
        ))}
      </tbody>
    </ScrollTable>
  );
}
