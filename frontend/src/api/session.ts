import { queryOptions, useMutation, useQueryClient, type QueryClient } from '@tanstack/react-query';
import type { RequestBody, ResponseBody } from './bodies';
import { client, csrfHeader, rememberSession } from './client';
import { unwrap, ProblemError } from './problem';

export type SignUp = RequestBody<'/v1/customers', 'post'>;
export type LogIn = RequestBody<'/v1/session', 'post'>;
export type Acceptance = RequestBody<'/v1/invitations/accept', 'post'>;
export type PasswordChange = RequestBody<'/v1/password', 'post'>;
export type PasswordReset = RequestBody<'/v1/password/reset', 'post'>;
export type Session = ResponseBody<'/v1/session'>;

const KEY = ['session'] as const;
const STALE_MS = 5 * 60_000;

/** Who is logged in; `null` is nobody. */
export const sessionQuery = queryOptions({
  queryKey: KEY,
  queryFn: ({ client: queries }) => fetchSession(queries),
  staleTime: STALE_MS,
  // Somebody may have logged in or out in another tab meanwhile.
  refetchOnWindowFocus: 'always',
});

async function fetchSession(queries: QueryClient): Promise<Session | null> {
  try {
    const session = await unwrap(client.GET('/v1/session'));
    adopt(queries, session);
    return session;
  } catch (error) {
    if (!(error instanceof ProblemError && error.status === 401)) throw error;
    clearCache(queries);
    return null;
  }
}

/** The session is over: the pages lead to log-in, and nothing of the customer is left in memory. */
export function endSession(queries: QueryClient) {
  clearCache(queries);
  queries.setQueryData(KEY, null);
}

function beginSession(queries: QueryClient, session: Session) {
  adopt(queries, session);
  queries.setQueryData(KEY, session);
}

function adopt(queries: QueryClient, session: Session) {
  const before = queries.getQueryData<Session | null>(KEY);
  if (before?.member.id !== session.member.id) clearCache(queries);
  rememberSession(session);
}

/** Removes the data of the previous customer from the cache. */
function clearCache(queries: QueryClient) {
  rememberSession(undefined);
  queries.removeQueries({ predicate: (query) => query.queryKey[0] !== KEY[0] });
}

export function useLogIn() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: LogIn) => unwrap(client.POST('/v1/session', { body })),
    onSuccess: (session) => beginSession(queries, session),
  });
}

export function useSignUp() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: SignUp) => unwrap(client.POST('/v1/customers', { body })),
    onSuccess: ({ id, name, time_zone, member, scopes, csrf_token }) =>
      beginSession(queries, { customer: { id, name, time_zone }, member, scopes, csrf_token }),
  });
}

export function useAcceptInvitation() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: Acceptance) => unwrap(client.POST('/v1/invitations/accept', { body })),
    onSuccess: (session) => beginSession(queries, session),
  });
}

export function useLogOut() {
  const queries = useQueryClient();
  return useMutation({
    // If the session has ended already, the 401 ends it here too.
    mutationFn: () => unwrap(client.DELETE('/v1/session', { params: { header: csrfHeader() } })),
    onSuccess: () => endSession(queries),
  });
}

/** Ends the other sessions of the member too. */
export function useChangePassword() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: PasswordChange) =>
      unwrap(client.POST('/v1/password', { params: { header: csrfHeader() }, body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: ['sessions'] }),
  });
}

/** Asks for a link by mail. The response does not tell whether the address exists. */
export function useForgotPassword() {
  return useMutation({
    mutationFn: (email: string) =>
      unwrap(client.POST('/v1/password/forgotten', { body: { email } })),
  });
}

/** Chooses a password with a link. */
export function useResetPassword() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: PasswordReset) => unwrap(client.POST('/v1/password/reset', { body })),
    // It has ended the member's sessions, perhaps this one.
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}
