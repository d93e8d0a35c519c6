import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { client } from '../api/client';
import { answered } from '../api/problem';
import type { paths } from '../api/schema';
import { sessionQuery } from '../api/session';

type MembersPath = paths['/v1/members'];

export type Member =
  MembersPath['get']['responses'][200]['content']['application/json']['items'][number];
export type Role = Member['role'];
export type NewInvitation = MembersPath['post']['requestBody']['content']['application/json'];
export type Invited = MembersPath['post']['responses'][201]['content']['application/json'];
export type Invitation =
  paths['/v1/invitations']['get']['responses'][200]['content']['application/json']['items'][number];

const MEMBERS = ['members'] as const;
const INVITATIONS = ['invitations'] as const;
const PAGE_LENGTH = 1000;
const page = { params: { query: { limit: PAGE_LENGTH } } };

export const membersQuery = queryOptions({
  queryKey: MEMBERS,
  queryFn: () => answered(client.GET('/v1/members', page)),
});

/** Those that wait to be accepted. */
export const invitationsQuery = queryOptions({
  queryKey: INVITATIONS,
  queryFn: () => answered(client.GET('/v1/invitations', page)),
});

export function useInvite() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: NewInvitation) => answered(client.POST('/v1/members', { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: INVITATIONS }),
  });
}

export function useWithdraw() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      answered(client.DELETE('/v1/invitations/{id}', { params: { path: { id } } })),
    // It may have been accepted in this moment: then there is one more member instead.
    onSettled: () => renewPeople(queries),
  });
}

export function useChangeRole() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, role }: { id: string; role: Role }) =>
      answered(client.PATCH('/v1/members/{id}', { params: { path: { id } }, body: { role } })),
    onSuccess: () => renewPeople(queries),
  });
}

export function useRemoveMember() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      answered(client.DELETE('/v1/members/{id}', { params: { path: { id } } })),
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
