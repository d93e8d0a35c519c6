import { useId } from 'react';
import { Link } from 'react-router';
import { errorText } from '../api/problem';
import type { Session, useLogOut } from '../api/session';

type Props = { session: Session; logOut: ReturnType<typeof useLogOut> };

/** Who is logged in, links to the account pages, and log-out. The browser opens and closes it, by Escape too. */
export function AccountMenu({ session, logOut }: Props) {
  const id = useId();
  const { customer, member } = session;
  return (
    <div className="account">
      <button type="button" className="account-button" popoverTarget={id}>
        <span className="visually-hidden">Account: </span>
        <span className="account-initial" aria-hidden="true">
          {Array.from(customer.name)[0]?.toUpperCase()}
        </span>
        <span className="account-name">{customer.name}</span>
      </button>
      <div id={id} popover="auto" className="account-menu" data-testid="account-menu">
        <p className="account-customer">{customer.name}</p>
        <p>{member.email}</p>
        <dl className="facts">
          <dt>Role</dt>
          <dd>{member.role}</dd>
          <dt>Time zone</dt>
          <dd>{customer.time_zone}</dd>
        </dl>
        {logOut.isError && (
          <p className="field-error" role="alert">
            {errorText(logOut.error)}
          </p>
        )}
        <Link className="account-link" to="/sessions">
          Sessions
        </Link>
        <Link className="account-link" to="/password">
          Password
        </Link>
        <button
          type="button"
          className="button button-wide"
          disabled={logOut.isPending}
          onClick={() => logOut.mutate()}
        >
          {logOut.isPending ? 'Logging out…' : 'Log out'}
        </button>
      </div>
    </div>
  );
}
