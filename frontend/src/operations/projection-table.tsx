import { TableHead } from '../components/table-head';
import { Time } from '../components/time';
import { formatCount } from '../format/numbers';
import { formatAgo, formatFull, formatLag } from '../format/times';
import type { Projections } from './queries';

type Props = { projections: Projections; timeZone: string; now: number };

const COLUMNS = ['Projection', 'Position', 'Left to fold', 'Behind', 'Last event', 'Dead letters'];

/** How far each projection has come in the customer's partition, and the job that folds it. */
export function ProjectionTable({ projections, timeZone, now }: Props) {
  const { items, partition, published_position, job } = projections;
  return (
    <>
      <table className="table table-cards" data-testid="projections">
        <TableHead columns={COLUMNS} />
        <tbody>
          {items.map((one) => (
            <tr key={one.name}>
              <th scope="row">
                {one.name}
                {one.building_generation != null && (
                  <span className="badge badge-after">rebuilding</span>
                )}
              </th>
              <td data-label="Position">{formatCount(one.position)}</td>
              <td data-label="Left to fold">{formatCount(one.lag_events)}</td>
              <td data-label="Behind">{one.lag_ms === 0 ? 'up to date' : formatLag(one.lag_ms)}</td>
              <td data-label="Last event">
                {one.recorded_at == null ? (
                  'none yet'
                ) : (
                  <Time at={one.recorded_at} timeZone={timeZone}>
                    {formatAgo(one.recorded_at, now)}
                  </Time>
                )}
              </td>
              <td data-label="Dead letters">
                {formatCount(one.dead_letters)}
                {one.waiting > 0 && `, ${formatCount(one.waiting)} waiting`}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p className="panel-foot" data-testid="job">
        Your history lies in partition {partition}, published up to{' '}
        {formatCount(published_position)}. {jobText(job, timeZone)}
      </p>
    </>
  );
}

function jobText(job: Projections['job'], timeZone: string): string {
  if (job === null) return 'No job waits.';
  const when = formatFull(job.run_at, timeZone);
  if (job.attempts === 0) return `A job folds what is new at ${when}.`;
  return `The job has failed ${formatCount(job.attempts)} times, and is tried again at ${when}.`;
}
