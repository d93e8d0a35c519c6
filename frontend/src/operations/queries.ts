import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { ResponseBody } from '../api/bodies';
import { client } from '../api/client';
import { unwrap } from '../api/problem';

export type Projections = ResponseBody<'/v1/projections'>;
export type DeadLetter = ResponseBody<'/v1/dead-letters'>['items'][number];

const PROJECTIONS = ['projections'] as const;
const DEAD_LETTERS = ['dead-letters'] as const;
/** How often the page is refreshed. */
const AGAIN_MS = 5_000;
const PAGE_LENGTH = 100;

export const projectionsQuery = queryOptions({
  queryKey: PROJECTIONS,
  queryFn: () => unwrap(client.GET('/v1/projections')),
  refetchInterval: AGAIN_MS,
});

export const deadLettersQuery = queryOptions({
  queryKey: DEAD_LETTERS,
  queryFn: () =>
    unwrap(client.GET('/v1/dead-letters', { params: { query: { limit: PAGE_LENGTH } } })),
  refetchInterval: AGAIN_MS,
});

/** A retry or a discard may change every list and report, even when it failed. */
function useSettled() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries();
}

export function useRetryDeadLetter() {
  const onSettled = useSettled();
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(client.POST('/v1/dead-letters/{id}/retry', { params: { path: { id } } })),
    onSettled,
  });
}

export function useDiscardDeadLetter() {
  const onSettled = useSettled();
  return useMutation({
    mutationFn: ({ id, reason }: { id: string; reason: string }) =>
      unwrap(
        client.POST('/v1/dead-letters/{id}/discard', {
          params: { path: { id } },
          body: { reason },
        }),
      ),
    onSettled,
  });
}
