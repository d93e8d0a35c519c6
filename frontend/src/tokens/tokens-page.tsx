import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Loaded, SkeletonLines } from '../components/loaded';
import { Panel } from '../components/panel';
import { useNow } from '../components/use-now';
import { useSession } from '../layout/members-only';
import { NeedsAdmin } from '../layout/needs-admin';
import { PageHead } from '../layout/page-head';
import { scopesToGive } from '../people/roles';
import { IssueTokenForm } from './issue-token-form';
import { IssuedSecret } from './issued-secret';
import { tokensQuery, type IssuedToken, type Token } from './queries';
import { RevokeDialog } from './revoke-dialog';
import { RotateDialog } from './rotate-dialog';
import { TokenTable } from './token-table';

const TICK_MS = 30_000;
const SKELETON_LINES = 4;

export function TokensPage() {
  const { scopes } = useSession();
  return (
    <>
      <PageHead title="Tokens">
        <p className="page-about">
          What programs authenticate with. A token belongs to the customer, not to the person who
          made it.
        </p>
      </PageHead>
      {scopes.includes('admin') ? (
        <Tokens />
      ) : (
        <NeedsAdmin title="Tokens are for owners and engineers">
          {' '}
          Ask an owner to make a token for you.
        </NeedsAdmin>
      )}
    </>
  );
}

function Tokens() {
  const session = useSession();
  const { customer } = session;
  const mine = scopesToGive(session);
  const tokens = useQuery(tokensQuery);
  const now = useNow(TICK_MS);
  const [issued, setIssued] = useState<IssuedToken>();
  const [revoking, setRevoking] = useState<Token>();
  const [rotating, setRotating] = useState<Token>();

  return (
    <>
      {issued !== undefined && (
        <IssuedSecret key={issued.id} issued={issued} onDone={() => setIssued(undefined)} />
      )}
      <div className="split">
        <Panel title="All tokens">
          <Loaded query={tokens} skeleton={<SkeletonLines count={SKELETON_LINES} />}>
            {({ items, next_cursor }) =>
              items.length > 0 ? (
                <TokenTable
                  tokens={items}
                  isCut={next_cursor != null}
                  timeZone={customer.time_zone}
                  now={now}
                  mine={mine}
                  onRotate={setRotating}
                  onRevoke={setRevoking}
                />
              ) : (
                <div className="nothing" data-testid="no-tokens">
                  <p className="nothing-title">No tokens yet</p>
                  <p>Make one, and your programs can record activities with it.</p>
                </div>
              )
            }
          </Loaded>
        </Panel>
        <Panel title="New token">
          <IssueTokenForm mine={mine} timeZone={customer.time_zone} onIssued={setIssued} />
        </Panel>
      </div>
      {rotating !== undefined && (
        <RotateDialog
          key={rotating.id}
          token={rotating}
          onRotated={setIssued}
          onClose={() => setRotating(undefined)}
        />
      )}
      {revoking !== undefined && (
        <RevokeDialog key={revoking.id} token={revoking} onClose={() => setRevoking(undefined)} />
      )}
    </>
  );
}
