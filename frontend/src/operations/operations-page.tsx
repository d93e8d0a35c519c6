import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Loaded, SkeletonLines } from '../components/loaded';
import { Panel } from '../components/panel';
import { useNow } from '../components/use-now';
import { useSession } from '../layout/members-only';
import { NeedsAdmin } from '../layout/needs-admin';
import { PageHead } from '../layout/page-head';
import { DeadLetterList } from './dead-letter-list';
import { DiscardDialog } from './discard-dialog';
import { ProjectionTable } from './projection-table';
import { deadLettersQuery, projectionsQuery, type DeadLetter } from './queries';

const TICK_MS = 10_000;
const SKELETON_LINES = 3;

/** The position and the lag of the reports, and the dead letters. */
export function OperationsPage() {
  const { scopes } = useSession();
  return (
    <>
      <PageHead title="Operations">
        <p className="page-about">
          How far the reports have come with your history, and which of your events they could not
          take in.
        </p>
      </PageHead>
      {scopes.includes('admin') ? (
        <Operations />
      ) : (
        <NeedsAdmin title="Operations are for owners and engineers" />
      )}
    </>
  );
}

function Operations() {
  const { customer } = useSession();
  const projections = useQuery(projectionsQuery);
  const deadLetters = useQuery(deadLettersQuery);
  const now = useNow(TICK_MS);
  const [discarding, setDiscarding] = useState<DeadLetter>();
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
                deadLetters={items}
                isCut={next_cursor != null}
                timeZone={customer.time_zone}
                now={now}
                onDiscard={setDiscarding}
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
      {discarding !== undefined && (
        <DiscardDialog
          key={discarding.id}
          deadLetter={discarding}
          onClose={() => setDiscarding(undefined)}
        />
      )}
    </div>
  );
}
