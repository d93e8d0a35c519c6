import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { deadLettersQuery, projectionsQuery, type DeadLetter } from './queries';
import { DeadLetterList } from './dead-letter-list';
import { DiscardDialog } from './discard-dialog';
import { Loaded, SkeletonLines } from '../components/loaded';
import { Panel } from '../components/panel';
import { ProjectionTable } from './projection-table';
import { useNow } from '../components/use-now';
import { useSession } from '../layout/members-only';
import { usePageTitle } from '../layout/use-page-title';

const TICK_MS = 10_000;
const SKELETON_LINES = 3;

/** How far the reports have come, and what they could not take in. */
export function OperationsPage() {
  usePageTitle('Operations');
  const { member, scopes } = useSession();
  return (
    <>
      <div className="page-head">
        <h1>Operations</h1>
        <p className="page-about">
          How far the reports have come with your history, and which of your events they could not
          take in.
        </p>
      </div>
      {scopes.includes('admin') ? (
        <Operations />
      ) : (
        <div className="panel nothing" data-testid="no-admin">
          <p className="nothing-title">Operations are for owners and engineers</p>
          <p>
            You are logged in as {member.role}, a role without the scope <code>admin</code>.
          </p>
        </div>
      )}
    </>
  );
}

function Operations() {
  const { customer } = useSession();
  const projections = useQuery(projectionsQuery);
  const deadLetters = useQuery(deadLettersQuery);
  const now = useNow(TICK_MS);
  const [doomed, setDoomed] = useState<DeadLetter>();
  const skeleton = <SkeletonLines count={SKELETON_LINES} />;

  return (
    <div className="operations">
      <Panel title="Projections">
        <Loaded query={projections} skeleton={skeleton}>
          {(data) => <ProjectionTable projections={data} timeZone={customer.time_zone} now={now} />}
        </Loaded>
      </Panel>
      <Panel title="Dead letters">
        <Loaded query={deadLetters} skeleton={skeleton}>
          {({ items, next_cursor }) =>
            items.length > 0 ? (
              <DeadLetterList
                letters={items}
                isCut={next_cursor != null}
                timeZone={customer.time_zone}
                now={now}
                onDiscard={setDoomed}
              />
            ) : (
              <div className="nothing" data-testid="no-dead-letters">
                <p className="nothing-title">No dead letters</p>
                <p>Every event of yours is in the reports, or on its way there.</p>
              </div>
            )
          }
        </Loaded>
      </Panel>
      {doomed !== undefined && (
        <DiscardDialog key={doomed.id} letter={doomed} onClose={() => setDoomed(undefined)} />
      )}
    </div>
  );
}
