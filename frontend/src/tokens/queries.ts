import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { client } from '../api/client';
import { answered } from '../api/problem';
import type { paths } from '../api/schema';

type TokenPath = paths['/v1/tokens'];

export type Token =
  TokenPath['get']['responses'][200]['content']['application/json']['items'][number];
export type NewToken = TokenPath['post']['requestBody']['content']['application/json'];
export type IssuedToken = TokenPath['post']['responses'][201]['content']['application/json'];
export type Scope = NewToken['scopes'][number];

const KEY = ['tokens'] as const;
const PAGE_LENGTH = 1000;

export const tokensQuery = queryOptions({
  queryKey: KEY,
  queryFn: () => answered(client.GET('/v1/tokens', { params: { query: { limit: PAGE_LENGTH } } })),
});

export function useIssueToken() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: NewToken) => answered(client.POST('/v1/tokens', { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}

export function useRevokeToken() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      answered(client.DELETE('/v1/tokens/{id}', { params: { path: { id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}

/** A successor with a secret of its own; the old token goes on working for so many seconds. */
export function useRotateToken() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, overlap_s }: { id: string; overlap_s: number }) =>
      answered(
        client.POST('/v1/tokens/{id}/rotate', { params: { path: { id } }, body: { overlap_s } }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}
