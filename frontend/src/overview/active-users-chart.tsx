import { Legend } from '../charts/legend';
import { Plot, type Frame } from '../charts/plot';
import { labelledBuckets } from '../charts/scale';
import { formatCount, formatShare } from '../format/numbers';
import { formatBucket, formatTick } from '../format/times';
import type { ActiveUsersDay } from './queries';

export const LINES = [
  { name: 'Daily', key: 'daily' },
  { name: 'Weekly', key: 'weekly' },
  { name: 'Monthly', key: 'monthly' },
] as const;

/** A date has no time zone; it is formatted in UTC so that it stays the same day. */
export const CALENDAR = 'UTC';
const LABELS_MAX = 8;

/** People active on each day, in the seven and in the thirty days up to it. */
export function ActiveUsersChart({ days }: { days: ActiveUsersDay[] }) {
  const last = days.at(-1);
  const dates = days.map((day) => day.date);
  return (
    <>
      <Plot
        summary={`Line chart: active users by day, ${formatCount(last?.monthly ?? 0)} in the last 30 days. The same numbers are in the table view.`}
        length={days.length}
        max={Math.max(0, ...days.map((day) => Math.max(day.daily, day.weekly, day.monthly)))}
        labels={(labelsMax) =>
          labelledBuckets(dates, 'day', CALENDAR, Math.min(labelsMax, LABELS_MAX)).map((index) => ({
            index,
            text: formatTick(dates[index] ?? '', 'day', CALENDAR, false),
          }))
        }
        tooltip={(index) => {
          const day = days[index];
          if (day === undefined) return null;
          return (
            <>
              <p className="tooltip-title">{formatBucket(day.date, 'day', CALENDAR)}</p>
              <Legend entries={entries(day)} />
              <p className="tooltip-total">
                <span>Stickiness</span>
                <span>{formatShare(day.stickiness ?? 0)}</span>
              </p>
            </>
          );
        }}
      >
        {(frame, active) =>
          LINES.map(({ key }) => (
            <Line
              key={key}
              name={key}
              values={days.map((day) => day[key])}
              frame={frame}
              active={active}
            />
          ))
        }
      </Plot>
      {last !== undefined && <Legend entries={entries(last)} />}
    </>
  );
}

function entries(day: ActiveUsersDay) {
  return LINES.map(({ name, key }) => ({ name, slot: key, value: formatCount(day[key]) }));
}

type LineProps = { name: string; values: number[]; frame: Frame; active: number | undefined };

function Line({ name, values, frame, active }: LineProps) {
  const points = values.map((value, index) => `${frame.x(index)},${frame.y(value)}`);
  const marked = active ?? (values.length === 1 ? 0 : undefined);
  return (
    <g className={`line series-${name}`}>
      <polyline points={points.join(' ')} />
      {marked !== undefined && (
        <circle cx={frame.x(marked)} cy={frame.y(values[marked] ?? 0)} r={3.5} />
      )}
    </g>
  );
}
