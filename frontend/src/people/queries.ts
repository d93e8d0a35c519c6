import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { RequestBody, ResponseBody } from '../api/bodies';
import { client } from '../api/client';
import { unwrap } from '../api/problem';
import { sessionQuery } from '../api/session';

export type Member = ResponseBody<'/v1/members'>['items'][number];
export type Role = Member['role'];
export type NewInvitation = RequestBody<'/v1/members', 'post'>;
export type Invited = ResponseBody<'/v1/members', 'post', 201>;
export type Invitation = ResponseBody<'/v1/invitations'>['items'][number];

const MEMBERS = ['members'] as const;
const INVITATIONS = ['invitations'] as const;
const PAGE_LENGTH = 1000;
const page = { params: { query: { limit: PAGE_LENGTH } } };

export const membersQuery = queryOptions({
  queryKey: MEMBERS,
  queryFn: () => unwrap(client.GET('/v1/members', page)),
});

/** Those that wait to be accepted. */
export const invitationsQuery = queryOptions({
  queryKey: INVITATIONS,
  queryFn: () => unwrap(client.GET('/v1/invitations', page)),
});

export function useInvite() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: NewInvitation) => unwrap(client.POST('/v1/members', { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: INVITATIONS }),
  });
}

export function useWithdraw() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(client.DELETE('/v1/invitations/{id}', { params: { path: { id } } })),
    // It may have been accepted at the same moment, and the list of members has grown.
    onSettled: () => renewPeople(queries),
  });
}

export function useChangeRole() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, role }: { id: string; role: Role }) =>
      unwrap(client.PATCH('/v1/members/{id}', { params: { path: { id } }, body: { role } })),
    onSuccess: () => renewPeople(queries),
  });
}

export function useRemoveMember() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(client.DELETE('/v1/members/{id}', { params: { path: { id } } })),
    onSuccess: () => renewPeople(queries),
  });
}

/** The reader's own role may have changed too, and the invitations of who was removed are gone. */
function renewPeople(queries: ReturnType<typeof useQueryClient>) {
  return Promise.all(
    [MEMBERS, INVITATIONS, sessionQuery.queryKey].map((queryKey) =>
      queries.invalidateQueries({ queryKey }),
    ),
  );
}
