import { RowButton } from '../components/row-button';
import { TableHead } from '../components/table-head';
import { Time } from '../components/time';
import { formatDay } from '../format/times';
import type { Member } from './queries';

const COLUMNS = ['E-mail', 'Role', 'Since'];

type Props = {
  members: Member[];
  /** Whether there are more than are shown. */
  isCut: boolean;
  me: string;
  timeZone: string;
  /** Without them, the reader may only look. */
  manage:
    { onChangeRole: (member: Member) => void; onRemove: (member: Member) => void } | undefined;
};

/** The customer's people. */
export function MemberTable({ members, isCut, me, timeZone, manage }: Props) {
  return (
    <>
      <table className="table table-cards">
        <TableHead columns={COLUMNS} buttons={manage && 'Change'} />
        <tbody>
          {members.map((member) => (
            <tr key={member.id} data-testid="member-row">
              <th scope="row">
                <bdi>{member.email}</bdi>
                {member.id === me && <span className="badge badge-after">you</span>}
              </th>
              <td data-label="Role">
                <span className={`scope role-${member.role}`}>{member.role}</span>
              </td>
              <td data-label="Since">
                <Time at={member.added_at} timeZone={timeZone}>
                  {formatDay(member.added_at, timeZone)}
                </Time>
              </td>
              {manage !== undefined && (
                <td className="row-actions">
                  <RowButton
                    label={`Change the role of ${member.email}`}
                    onClick={() => manage.onChangeRole(member)}
                  >
                    Role
                  </RowButton>
                  <RowButton
                    isLoss
                    label={`Remove ${member.email}`}
                    onClick={() => manage.onRemove(member)}
                  >
                    Remove
                  </RowButton>
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
      {isCut && <p className="panel-foot">Only the first {members.length} are shown.</p>}
    </>
  );
}
