import { SegmentedControl } from '../components/segmented-control';
import { RANGE_INFO, RANGES, type Interval } from '../time/range';
import type { Filters } from './filters';

const INTERVALS: Record<Interval, string> = {
  minute: 'Minutes',
  hour: 'Hours',
  day: 'Days',
  week: 'Weeks',
  month: 'Months',
};

type Props = {
  filters: Filters;
  /** Every type there is to choose from, the most frequent first. */
  types: readonly string[];
  onChange: (filters: Filters) => void;
};

/** The filters of the overview. Each change is written to the address. */
export function FilterBar({ filters, types, onChange }: Props) {
  const { range, interval, type, asTable } = filters;
  const { intervals } = RANGE_INFO[range];
  const known = type === undefined || types.includes(type) ? types : [type, ...types];
  return (
    <div className="filters" role="group" aria-label="What the overview shows">
      <label className="filter-type">
        <span className="visually-hidden">Type</span>
        <select
          value={type ?? ''}
          onChange={({ target }) =>
            onChange({ ...filters, type: target.value === '' ? undefined : target.value })
          }
        >
          <option value="">All types</option>
          {known.map((name) => (
            <option key={name}>{name}</option>
          ))}
        </select>
      </label>
      <SegmentedControl
        legend="Range"
        value={range}
        options={RANGES.map((value) => ({
          value,
          label: RANGE_INFO[value].label,
          title: capital(RANGE_INFO[value].sentence.replace(/^the /, '')),
        }))}
        onChoose={(chosen) =>
          onChange({ ...filters, range: chosen, interval: RANGE_INFO[chosen].intervals[0] })
        }
      />
      {intervals.length > 1 && (
        <SegmentedControl
          legend="Interval"
          value={interval}
          options={intervals.map((value) => ({ value, label: INTERVALS[value] }))}
          onChoose={(chosen) => onChange({ ...filters, interval: chosen })}
        />
      )}
      <SegmentedControl
        legend="View"
        value={asTable ? 'table' : 'chart'}
        options={[
          { value: 'chart', label: 'Chart' },
          { value: 'table', label: 'Table' },
        ]}
        onChoose={(view) => onChange({ ...filters, asTable: view === 'table' })}
      />
    </div>
  );
}

const capital = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);
