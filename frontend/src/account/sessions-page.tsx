import { useQuery } from '@tanstack/react-query';
import { refusal } from '../api/problem';
import { sessionsQuery, useEndSession, type ListedSession } from './queries';
import { Loaded, SkeletonLines } from '../components/loaded';
import { Panel } from '../components/panel';
import { useNow } from '../components/use-now';
import { browserName } from './browser-name';
import { formatAgo, formatDay, formatFull } from '../format/times';
import { useSession } from '../layout/members-only';
import { usePageTitle } from '../layout/use-page-title';

const TICK_MS = 30_000;
const SKELETON_LINES = 2;

export function SessionsPage() {
  usePageTitle('Sessions');
  const sessions = useQuery(sessionsQuery);
  return (
    <>
      <div className="page-head">
        <h1>Sessions</h1>
        <p className="page-about">
          Where you are logged in. End what is not yours: it is logged out at once.
        </p>
      </div>
      <Panel title="All sessions">
        <Loaded query={sessions} skeleton={<SkeletonLines count={SKELETON_LINES} />}>
          {({ items }) => <SessionTable sessions={items} />}
        </Loaded>
      </Panel>
    </>
  );
}

function SessionTable({ sessions }: { sessions: ListedSession[] }) {
  const timeZone = useSession().customer.time_zone;
  const now = useNow(TICK_MS);
  const end = useEndSession();
  const time = (moment: string, text: string) => (
    <time dateTime={moment} title={formatFull(moment, timeZone)}>
      {text}
    </time>
  );
  return (
    <>
      {end.isError && (
        <p className="form-error" role="alert">
          {refusal(end.error)}
        </p>
      )}
      <table className="table table-cards">
        <thead>
          <tr>
            <th scope="col">With</th>
            <th scope="col">From</th>
            <th scope="col">Began</th>
            <th scope="col">Last used</th>
            <th scope="col">Ends, if not used</th>
            <th scope="col">
              <span className="visually-hidden">End</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {sessions.map(({ id, user_agent, address, current, ...times }) => (
            <tr key={id} data-testid="session-row">
              <th scope="row" title={user_agent ?? undefined}>
                {browserName(user_agent)}
              </th>
              <td data-label="From">{address ?? 'unknown'}</td>
              <td data-label="Began">
                {time(times.created_at, formatDay(times.created_at, timeZone))}
              </td>
              <td data-label="Last used">
                {time(times.last_used_at, formatAgo(times.last_used_at, now))}
              </td>
              <td data-label="Ends">
                {time(times.expires_at, formatDay(times.expires_at, timeZone))}
              </td>
              <td className="row-actions">
                {current ? (
                  <span className="badge">this one</span>
                ) : (
                  <button
                    type="button"
                    className="button button-small button-danger"
                    aria-label={`End the session with ${browserName(user_agent)} of ${formatFull(times.created_at, timeZone)}`}
                    disabled={end.isPending && end.variables === id}
                    onClick={() => end.mutate(id)}
                  >
                    End
                  </button>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
