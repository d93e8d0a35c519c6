import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { Loaded, SkeletonLines } from '../components/loaded';
import { Panel } from '../components/panel';
import { useNow } from '../components/use-now';
import { useSession } from '../layout/members-only';
import { PageHead } from '../layout/page-head';
import { InvitationTable } from './invitation-table';
import { InviteForm } from './invite-form';
import { InvitedLink } from './invited-link';
import { MemberTable } from './member-table';
import { invitationsQuery, membersQuery, type Invited, type Member } from './queries';
import { RemoveDialog } from './remove-dialog';
import { RoleDialog } from './role-dialog';
import { mayManagePeople } from './roles';

const TICK_MS = 30_000;
const SKELETON_LINES = 3;

export function PeoplePage() {
  const session = useSession();
  const isManager = mayManagePeople(session);
  return (
    <>
      <PageHead title="People">
        <p className="page-about">
          Who works with <bdi>{session.customer.name}</bdi> here, and as what.
        </p>
      </PageHead>
      {isManager ? (
        <Managed />
      ) : (
        <>
          <p className="notice" data-testid="no-manager">
            You are logged in as {session.member.role}. Only an owner invites people, removes them
            and changes their roles.
          </p>
          <Members />
        </>
      )}
    </>
  );
}

function Managed() {
  const { customer, member } = useSession();
  const [invited, setInvited] = useState<Invited>();
  const [changed, setChanged] = useState<Member>();
  const [removing, setRemoving] = useState<Member>();
  return (
    <>
      {invited !== undefined && (
        <InvitedLink
          key={invited.id}
          invited={invited}
          timeZone={customer.time_zone}
          onDone={() => setInvited(undefined)}
        />
      )}
      <div className="split">
        <div className="split-main">
          <Members manage={{ onChangeRole: setChanged, onRemove: setRemoving }} />
          <Invitations />
        </div>
        <Panel title="Invite somebody">
          <InviteForm onInvited={setInvited} />
        </Panel>
      </div>
      {changed !== undefined && (
        <RoleDialog
          key={changed.id}
          member={changed}
          isMe={changed.id === member.id}
          onClose={() => setChanged(undefined)}
        />
      )}
      {removing !== undefined && (
        <RemoveDialog
          key={removing.id}
          member={removing}
          isMe={removing.id === member.id}
          onClose={() => setRemoving(undefined)}
        />
      )}
    </>
  );
}

type MembersProps = Partial<Pick<Parameters<typeof MemberTable>[0], 'manage'>>;

function Members({ manage }: MembersProps) {
  const { customer, member } = useSession();
  const members = useQuery(membersQuery);
  return (
    <Panel title="Members">
      <Loaded query={members} skeleton={<SkeletonLines count={SKELETON_LINES} />}>
        {({ items, next_cursor }) => (
          <MemberTable
            members={items}
            isCut={next_cursor != null}
            me={member.id}
            timeZone={customer.time_zone}
            manage={manage}
          />
        )}
      </Loaded>
    </Panel>
  );
}

function Invitations() {
  const { customer } = useSession();
  const invitations = useQuery(invitationsQuery);
  const now = useNow(TICK_MS);
  return (
    <Panel title="Pending invitations">
      <Loaded query={invitations} skeleton={<SkeletonLines count={SKELETON_LINES} />}>
        {({ items }) =>
          items.length > 0 ? (
            <InvitationTable invitations={items} timeZone={customer.time_zone} now={now} />
          ) : (
            <p className="panel-foot" data-testid="no-invitations">
              None waits to be accepted.
            </p>
          )
        }
      </Loaded>
    </Panel>
  );
}
