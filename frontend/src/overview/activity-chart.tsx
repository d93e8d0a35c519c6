import { Legend } from '../charts/legend';
import { Plot, type Frame } from '../charts/plot';
import { isByDay, labelledBuckets } from '../charts/scale';
import { formatCount } from '../format/numbers';
import { formatBucket, formatTick } from '../format/times';
import type { Interval } from '../time/range';
import type { Row, Series } from './series';

type Props = { series: Series; interval: Interval; timeZone: string };

/** Activities over time: one bar for each bucket, stacked by type. */
export function ActivityChart({ series, interval, timeZone }: Props) {
  const { groups, rows } = series;
  const total = groups.reduce((sum, group) => sum + group.total, 0);
  const byDay = isByDay(interval, rows.length);
  const name = (row: Row) => formatBucket(row.bucket, interval, timeZone);

  return (
    <div data-testid="chart">
      <Plot
        summary={`Bar chart: ${formatCount(total)} activities by ${interval}, stacked by type. The same numbers are in the table view.`}
        length={rows.length}
        max={Math.max(0, ...rows.map((row) => row.total))}
        labels={(labelsMax) => {
          const buckets = rows.map((row) => row.bucket);
          return labelledBuckets(buckets, interval, timeZone, labelsMax).map((index) => ({
            index,
            text: formatTick(buckets[index] ?? '', interval, timeZone, byDay),
          }));
        }}
        tooltip={(index) => {
          const row = rows[index];
          if (row === undefined) return null;
          return (
            <>
              <p className="tooltip-title">{name(row)}</p>
              <Legend
                entries={groups
                  .map((group, column) => ({ ...group, count: row.counts[column] ?? 0 }))
                  .filter(({ count }) => count > 0)
                  .map(({ name, slot, count }) => ({ name, slot, value: formatCount(count) }))}
              />
              <p className="tooltip-total">
                <span>{groups.length === 1 ? 'Activities' : 'All'}</span>
                <span>{formatCount(row.total)}</span>
              </p>
            </>
          );
        }}
      >
        {(frame) =>
          rows.map((row, index) => (
            <Bar key={row.bucket} row={row} index={index} frame={frame} groups={groups} />
          ))
        }
      </Plot>
      <Legend
        entries={groups.map(({ name, slot, total }) => ({ name, slot, value: formatCount(total) }))}
      />
    </div>
  );
}

type BarProps = { row: Row; index: number; frame: Frame; groups: Series['groups'] };

const BAR_WIDTH_MAX = 44;

function Bar({ row, index, frame, groups }: BarProps) {
  const gap = frame.step > 12 ? Math.min(8, frame.step * 0.24) : Math.min(1, frame.step * 0.2);
  const width = Math.min(BAR_WIDTH_MAX, frame.step - gap);
  const left = frame.x(index) - width / 2;
  // The clip path is of the whole bar, so that its top is round whichever type is on top.
  const radius = Math.min(3, width / 4, frame.bottom - frame.y(row.total));
  const parts = stacked(row.counts);
  const id = `bar-${index}`;
  return (
    <g>
      <clipPath id={id}>
        <path d={roundedHead(left, frame.y(row.total), width, frame.bottom, radius)} />
      </clipPath>
      <g clipPath={`url(#${id})`}>
        {groups.map(({ name, slot }, column) => {
          const { from, to } = parts[column] ?? NOTHING;
          if (from === to) return null;
          const y = frame.y(to);
          const height = frame.y(from) - y;
          return (
            <rect
              key={name}
              className={`series-${slot}`}
              x={left}
              y={y}
              width={width}
              height={height}
            />
          );
        })}
      </g>
    </g>
  );
}

const NOTHING = { from: 0, to: 0 };

/** Where each count begins and ends in a stacked bar. */
function stacked(counts: readonly number[]): { from: number; to: number }[] {
  let from = 0;
  return counts.map((count) => {
    const part = { from, to: from + count };
    from = part.to;
    return part;
  });
}

function roundedHead(x: number, y: number, width: number, bottom: number, r: number): string {
  const right = x + width;
  return `M${x} ${bottom}V${y + r}Q${x} ${y} ${x + r} ${y}H${right - r}Q${right} ${y} ${right} ${y + r}V${bottom}Z`;
}
