import { useSearchParams } from 'react-router';
import { SegmentedControl } from '../components/segmented-control';
import { PageHead } from '../layout/page-head';
import { RANGE_INFO, RANGES } from '../time/range';
import { REPORTS } from './all';
import { readChosen, type Chosen } from './choices';
import type { NamedRange } from './report';
import { ReportForm } from './report-form';
import { ReportPanel } from './report-panel';

const NAMED_RANGES = RANGES.filter((range): range is NamedRange => range !== '1h');
const DEFAULT_RANGE: NamedRange = '30d';

type Shown = { report: string; range: string; types: string; chosen: Chosen };

/** One report, its range and what was chosen for it; all of it is in the address, so that a link shows the same. */
export function ReportsPage() {
  const [address, setAddress] = useSearchParams();
  const report = REPORTS.find(({ path }) => path === address.get('report')) ?? REPORTS[0];
  const range = NAMED_RANGES.find((known) => known === address.get('range')) ?? DEFAULT_RANGE;
  const types = address.get('types') ?? '';
  const chosen = readChosen(report.choices ?? [], address);
  const show = (changed: Partial<Shown>) => {
    const shown: Shown = { report: report.path, range, types, chosen, ...changed };
    setAddress(
      {
        report: shown.report,
        range: shown.range,
        ...(shown.types !== '' && { types: shown.types }),
        ...shown.chosen,
      },
      { preventScrollReset: true },
    );
  };
  return (
    <>
      <PageHead title="Reports">
        <div className="filters" role="group" aria-label="What the page shows">
          <label className="filter-type">
            <span className="visually-hidden">Report</span>
            <select
              value={report.path}
              onChange={({ target }) => show({ report: target.value, chosen: {} })}
            >
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
            options={NAMED_RANGES.map((value) => ({ value, label: RANGE_INFO[value].label }))}
            onChoose={(value) => show({ range: value })}
          />
        </div>
      </PageHead>
      <ReportForm
        // Its fields begin with what is in the address, also after a step back in the history.
        key={JSON.stringify([report.path, types, chosen])}
        report={report}
        types={types}
        chosen={chosen}
        onShow={(entered, made) => show({ types: entered, chosen: made })}
      />
      <ReportPanel report={report} range={range} typesText={types} chosen={chosen} />
    </>
  );
}
