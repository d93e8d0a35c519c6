import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { RequestBody, ResponseBody } from '../api/bodies';
import { client } from '../api/client';
import { unwrap } from '../api/problem';

export type Token = ResponseBody<'/v1/tokens'>['items'][number];
export type NewToken = RequestBody<'/v1/tokens', 'post'>;
export type IssuedToken = ResponseBody<'/v1/tokens', 'post', 201>;
export type Scope = NewToken['scopes'][number];

const KEY = ['tokens'] as const;
const PAGE_LENGTH = 1000;

export const tokensQuery = queryOptions({
  queryKey: KEY,
  queryFn: () => unwrap(client.GET('/v1/tokens', { params: { query: { limit: PAGE_LENGTH } } })),
});

export function useIssueToken() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (body: NewToken) => unwrap(client.POST('/v1/tokens', { body })),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}

export function useRevokeToken() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(client.DELETE('/v1/tokens/{id}', { params: { path: { id } } })),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}

/** Issues a successor with a secret of its own; the old token stays valid for `overlap_s` seconds. */
export function useRotateToken() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, overlap_s }: { id: string; overlap_s: number }) =>
      unwrap(
        client.POST('/v1/tokens/{id}/rotate', { params: { path: { id } }, body: { overlap_s } }),
      ),
    onSuccess: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}
