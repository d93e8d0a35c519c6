import { Link, NavLink } from 'react-router';
import type { Session, useLogOut } from '../api/session';
import { AccountMenu } from './account-menu';

type Props = { session: Session; logOut: ReturnType<typeof useLogOut> };

/** The head of every page; docs.html has the same one in plain HTML. */
export function Masthead({ session, logOut }: Props) {
  return (
    <header className="masthead">
      <div className="masthead-inner">
        <Link className="brand" to="/">
          <img src="/favicon.svg" alt="" width="26" height="26" />
          <span>Daybook</span>
        </Link>
        <nav aria-label="Main" className="nav">
          <NavLink to="/" end>
            Overview
          </NavLink>
          <NavLink to="/tokens">Tokens</NavLink>
          <a href="/docs">API docs</a>
        </nav>
        <AccountMenu session={session} logOut={logOut} />
      </div>
    </header>
  );
}
