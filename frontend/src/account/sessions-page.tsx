import { useQuery } from '@tanstack/react-query';
import { errorText } from '../api/problem';
import { Loaded, SkeletonLines } from '../components/loaded';
import { Panel } from '../components/panel';
import { RowButton } from '../components/row-button';
import { TableHead } from '../components/table-head';
import { Time } from '../components/time';
import { useNow } from '../components/use-now';
import { formatAgo, formatDay, formatFull } from '../format/times';
import { useSession } from '../layout/members-only';
import { PageHead } from '../layout/page-head';
import { browserName } from './browser-name';
import { sessionsQuery, useEndSession, type ListedSession } from './queries';

const TICK_MS = 30_000;
const SKELETON_LINES = 2;
const COLUMNS = ['With', 'From', 'Began', 'Last used', 'Ends, if not used'];

export function SessionsPage() {
  const sessions = useQuery(sessionsQuery);
  return (
    <>
      <PageHead title="Sessions">
        <p className="page-about">
          Where you are logged in. End what is not yours: it is logged out at once.
        </p>
      </PageHead>
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
  return (
    <>
      {end.isError && (
        <p className="form-error" role="alert">
          {errorText(end.error)}
        </p>
      )}
      <table className="table table-cards">
        <TableHead columns={COLUMNS} buttons="End" />
        <tbody>
          {sessions.map(({ id, user_agent, address, current, ...times }) => (
            <tr key={id} data-testid="session-row">
              <th scope="row" title={user_agent ?? undefined}>
                {browserName(user_agent)}
              </th>
              <td data-label="From">{address ?? 'unknown'}</td>
              <td data-label="Began">
                <Time at={times.created_at} timeZone={timeZone}>
                  {formatDay(times.created_at, timeZone)}
                </Time>
              </td>
              <td data-label="Last used">
                <Time at={times.last_used_at} timeZone={timeZone}>
                  {formatAgo(times.last_used_at, now)}
                </Time>
              </td>
              <td data-label="Ends">
                <Time at={times.expires_at} timeZone={timeZone}>
                  {formatDay(times.expires_at, timeZone)}
                </Time>
              </td>
              <td className="row-actions">
                {current ? (
                  <span className="badge">this one</span>
                ) : (
                  <RowButton
                    isLoss
                    label={`End the session with ${browserName(user_agent)} of ${formatFull(times.created_at, timeZone)}`}
                    disabled={end.isPending && end.variables === id}
                    onClick={() => end.mutate(id)}
                  >
                    End
                  </RowButton>
                )}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
