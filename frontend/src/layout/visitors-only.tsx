import { useQuery } from '@tanstack/react-query';
import { Navigate, Outlet, useSearchParams } from 'react-router';
import { sessionQuery } from '../api/session';
import { returnPath } from '../sign-in/return-path';
import { SignInLayout } from '../sign-in/sign-in-layout';
import { Splash } from './splash';

/** The frame of log-in and sign-up. With a session it redirects to the page that was asked for. */
export function VisitorsOnly() {
  const [address] = useSearchParams();
  const session = useQuery(sessionQuery);
  if (session.isPending) return <Splash />;
  if (session.data) return <Navigate replace to={returnPath(address)} />;
  return (
    <SignInLayout>
      <Outlet />
    </SignInLayout>
  );
}
