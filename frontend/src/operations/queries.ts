import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { client } from '../api/client';
import { answered } from '../api/problem';
import type { paths } from '../api/schema';

export type Projections =
  paths['/v1/projections']['get']['responses'][200]['content']['application/json'];
export type DeadLetter =
  paths['/v1/dead-letters']['get']['responses'][200]['content']['application/json']['items'][number];

const PROJECTIONS = ['projections'] as const;
const DEAD_LETTERS = ['dead-letters'] as const;
/** How soon the page asks how far everything has come. */
const AGAIN_MS = 5_000;
const PAGE_LENGTH = 100;

export const projectionsQuery = queryOptions({
  queryKey: PROJECTIONS,
  queryFn: () => answered(client.GET('/v1/projections')),
  refetchInterval: AGAIN_MS,
});

export const deadLettersQuery = queryOptions({
  queryKey: DEAD_LETTERS,
  queryFn: () =>
    answered(client.GET('/v1/dead-letters', { params: { query: { limit: PAGE_LENGTH } } })),
  refetchInterval: AGAIN_MS,
});

/** Whatever became of a dead letter, the lists and the reports may be others now. */
function useSettled() {
  const queries = useQueryClient();
  return () => queries.invalidateQueries();
}

export function useRetryDeadLetter() {
  const onSettled = useSettled();
  return useMutation({
    mutationFn: (id: string) =>
      answered(client.POST('/v1/dead-letters/{id}/retry', { params: { path: { id } } })),
    onSettled,
  });
}

export function useDiscardDeadLetter() {
  const onSettled = useSettled();
  return useMutation({
    mutationFn: ({ id, reason }: { id: string; reason: string }) =>
      answered(
        client.POST('/v1/dead-letters/{id}/discard', {
          params: { path: { id } },
          body: { reason },
        }),
      ),
    onSettled,
  });
}
