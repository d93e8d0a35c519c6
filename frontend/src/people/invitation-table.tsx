import { errorText } from '../api/problem';
import { RowButton } from '../components/row-button';
import { TableHead } from '../components/table-head';
import { Time } from '../components/time';
import { formatAgo, formatDay } from '../format/times';
import { useWithdraw, type Invitation } from './queries';

const COLUMNS = ['E-mail', 'Role', 'Invited', 'Good until'];

type Props = { invitations: Invitation[]; timeZone: string; now: number };

/** The pending invitations. Their links cannot be shown again. */
export function InvitationTable({ invitations, timeZone, now }: Props) {
  const withdraw = useWithdraw();
  return (
    <>
      {withdraw.isError && (
        <p className="form-error" role="alert">
          {errorText(withdraw.error)}
        </p>
      )}
      <table className="table table-cards">
        <TableHead columns={COLUMNS} buttons="Withdraw" />
        <tbody>
          {invitations.map(({ id, email, role, created_at, expires_at, address_in_use }) => (
            <tr key={id} data-testid="invitation-row">
              <th scope="row">
                <bdi>{email}</bdi>
                {address_in_use && (
                  <span
                    className="badge badge-after"
                    title="The address logs in for another customer now. Withdraw the invitation, and invite another address."
                  >
                    in use elsewhere
                  </span>
                )}
              </th>
              <td data-label="Role">
                <span className={`scope role-${role}`}>{role}</span>
              </td>
              <td data-label="Invited">
                <Time at={created_at} timeZone={timeZone}>
                  {formatAgo(created_at, now)}
                </Time>
              </td>
              <td data-label="Good until">
                <Time at={expires_at} timeZone={timeZone}>
                  {formatDay(expires_at, timeZone)}
                </Time>
              </td>
              <td className="row-actions">
                <RowButton
                  isLoss
                  label={`Withdraw the invitation of ${email}`}
                  disabled={withdraw.isPending && withdraw.variables === id}
                  onClick={() => withdraw.mutate(id)}
                >
                  Withdraw
                </RowButton>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
