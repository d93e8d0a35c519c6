import { Link, NavLink, useLocation } from 'react-router';
import type { Session, useLogOut } from '../api/session';
import { AccountMenu } from './account-menu';

type Props = { session: Session; logOut: ReturnType<typeof useLogOut> };

/** The head of every page; docs.html has the same one in plain HTML. */
export function Masthead({ session, logOut }: Props) {
  const { pathname } = useLocation();
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
          <NavLink to="/reports">Reports</NavLink>
          <NavLink to="/tokens">Tokens</NavLink>
          <NavLink to="/people">People</NavLink>
          <NavLink to="/operations">Operations</NavLink>
          <a href="/docs">API docs</a>
        </nav>
        {/* A new one for each page, so that it is closed again. */}
        <AccountMenu key={pathname} session={session} logOut={logOut} />
      </div>
    </header>
  );
}
