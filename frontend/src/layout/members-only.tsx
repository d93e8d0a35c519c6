import { useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type RefObject } from 'react';
import { Navigate, Outlet, useLocation, useOutletContext } from 'react-router';
import { sessionQuery, useLogOut, type Session } from '../api/session';
import { Failure } from '../components/failure';
import { logInPathFor } from '../sign-in/return-path';
import { Masthead } from './masthead';
import { OtherSession } from './other-session';
import { Splash } from './splash';

/** The frame of every page that needs a session. Without one it redirects to log-in, and back afterwards. */
export function MembersOnly() {
  const session = useQuery(sessionQuery);
  const logOut = useLogOut();
  const location = useLocation();
  const main = useRef<HTMLElement>(null);
  useFocusOnArrival(main, location.pathname);
  // The session whose pages this window shows, until the reader accepts another one.
  const [shown, setShown] = useState<Session>();
  if (shown === undefined && session.data != null) setShown(session.data);

  if (session.data === undefined) {
    return session.isError ? (
      <main className="lone">
        <Failure error={session.error} onRetry={() => session.refetch()} />
      </main>
    ) : (
      <Splash />
    );
  }
  if (session.data === null) {
    // After a log-out, the next log-in does not lead back to the same page.
    return <Navigate replace to={logOut.isIdle ? logInPathFor(location) : '/log-in'} />;
  }
  if (shown !== undefined && shown.member.id !== session.data.member.id) {
    const { data: now } = session;
    return <OtherSession before={shown} now={now} logOut={logOut} onGoOn={() => setShown(now)} />;
  }
  return (
    <>
      <a className="skip" href="#main">
        Skip to the content
      </a>
      <Masthead session={session.data} logOut={logOut} />
      <main id="main" className="page" ref={main} tabIndex={-1}>
        <Outlet context={session.data} />
      </main>
    </>
  );
}

/** The session of the page inside. */
export function useSession(): Session {
  return useOutletContext<Session>();
}

/** Moves the focus to the new page, for screen readers; not for the first page. */
function useFocusOnArrival(place: RefObject<HTMLElement | null>, pathname: string) {
  const shown = useRef(pathname);
  useEffect(() => {
    if (shown.current === pathname) return;
    shown.current = pathname;
    window.scrollTo(0, 0);
    place.current?.focus({ preventScroll: true });
  }, [place, pathname]);
}
