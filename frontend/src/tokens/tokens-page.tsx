import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { tokensQuery, type IssuedToken, type Token } from './queries';
import { IssueTokenForm } from './issue-token-form';
import { IssuedSecret } from './issued-secret';
import { Loaded, SkeletonLines } from '../components/loaded';
import { Panel } from '../components/panel';
import { RevokeDialog } from './revoke-dialog';
import { scopesToGive } from '../people/roles';
import { RotateDialog } from './rotate-dialog';
import { TokenTable } from './token-table';
import { useNow } from '../components/use-now';
import { useSession } from '../layout/members-only';
import { usePageTitle } from '../layout/use-page-title';

const TICK_MS = 30_000;
const SKELETON_LINES = 4;

export function TokensPage() {
  usePageTitle('Tokens');
  const { member, scopes } = useSession();
  return (
    <>
      <div className="page-head">
        <h1>Tokens</h1>
        <p className="page-about">
          What programs authenticate with. A token belongs to the customer, not to the person who
          made it.
        </p>
      </div>
      {scopes.includes('admin') ? (
        <Tokens />
      ) : (
        <div className="panel nothing" data-testid="no-admin">
          <p className="nothing-title">Tokens are for owners and engineers</p>
          <p>
            You are logged in as {member.role}, a role without the scope <code>admin</code>. Ask an
            owner to make a token for you.
          </p>
        </div>
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
  const [doomed, setDoomed] = useState<Token>();
  const [rotated, setRotated] = useState<Token>();

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
                  onRotate={setRotated}
                  onRevoke={setDoomed}
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
      {rotated !== undefined && (
        <RotateDialog
          key={rotated.id}
          token={rotated}
          onRotated={setIssued}
          onClose={() => setRotated(undefined)}
        />
      )}
      {doomed !== undefined && (
        <RevokeDialog key={doomed.id} token={doomed} onClose={() => setDoomed(undefined)} />
      )}
    </>
  );
}
