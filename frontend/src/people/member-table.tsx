import type { Member } from './queries';
import { formatDay, formatFull } from '../format/times';

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
        <thead>
          <tr>
            <th scope="col">E-mail</th>
            <th scope="col">Role</th>
            <th scope="col">Since</th>
            {manage !== undefined && (
              <th scope="col">
                <span className="visually-hidden">Change</span>
              </th>
            )}
          </tr>
        </thead>
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
                <time dateTime={member.added_at} title={formatFull(member.added_at, timeZone)}>
                  {formatDay(member.added_at, timeZone)}
                </time>
              </td>
              {manage !== undefined && (
                <td className="row-actions">
                  <button
                    type="button"
                    className="button button-small"
                    aria-label={`Change the role of ${member.email}`}
                    onClick={() => manage.onChangeRole(member)}
                  >
                    Role
                  </button>
                  <button
                    type="button"
                    className="button button-small button-danger"
                    aria-label={`Remove ${member.email}`}
                    onClick={() => manage.onRemove(member)}
                  >
                    Remove
                  </button>
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
