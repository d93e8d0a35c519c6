import { useQuery } from '@tanstack/react-query';
import { Navigate, Outlet, useSearchParams } from 'react-router';
import { sessionQuery } from '../api/session';
import { Door } from '../sign-in/sign-in-layout';
import { Splash } from './splash';
import { wayBack } from '../sign-in/return-path';

/** The frame of log-in and sign-up; whoever has a session goes where he wanted to go. */
export function VisitorsOnly() {
  const [address] = useSearchParams();
  const session = useQuery(sessionQuery);
  if (session.isPending) return <Splash />;
  if (session.data) return <Navigate replace to={wayBack(address)} />;
  return (
    <Door>
      <Outlet />
    </Door>
  );
}
