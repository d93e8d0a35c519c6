import { refusal } from '../api/problem';
import { useWithdraw, type Invitation } from './queries';
import { formatAgo, formatDay, formatFull } from '../format/times';

type Props = { invitations: Invitation[]; timeZone: string; now: number };

/** The invitations that wait to be accepted. Their links are not known any more. */
export function InvitationTable({ invitations, timeZone, now }: Props) {
  const withdraw = useWithdraw();
  return (
    <>
      {withdraw.isError && (
        <p className="form-error" role="alert">
          {refusal(withdraw.error)}
        </p>
      )}
      <table className="table table-cards">
        <thead>
          <tr>
            <th scope="col">E-mail</th>
            <th scope="col">Role</th>
            <th scope="col">Invited</th>
            <th scope="col">Good until</th>
            <th scope="col">
              <span className="visually-hidden">Withdraw</span>
            </th>
          </tr>
        </thead>
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
                <time dateTime={created_at} title={formatFull(created_at, timeZone)}>
                  {formatAgo(created_at, now)}
                </time>
              </td>
              <td data-label="Good until">
                <time dateTime={expires_at} title={formatFull(expires_at, timeZone)}>
                  {formatDay(expires_at, timeZone)}
                </time>
              </td>
              <td className="row-actions">
                <button
                  type="button"
                  className="button button-small button-danger"
                  aria-label={`Withdraw the invitation of ${email}`}
                  disabled={withdraw.isPending && withdraw.variables === id}
                  onClick={() => withdraw.mutate(id)}
                >
                  Withdraw
                </button>
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </>
  );
}
