import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { client, csrfHeader } from '../api/client';
import { answered } from '../api/problem';
import type { paths } from '../api/schema';

export type ListedSession =
  paths['/v1/sessions']['get']['responses'][200]['content']['application/json']['items'][number];

const KEY = ['sessions'] as const;

/** Where the member is logged in. */
export const sessionsQuery = queryOptions({
  queryKey: KEY,
  queryFn: () => answered(client.GET('/v1/sessions')),
});

export function useEndSession() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      answered(
        client.DELETE('/v1/sessions/{id}', { params: { path: { id }, header: csrfHeader() } }),
      ),
    // One that has ended by itself meanwhile leaves the list too.
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}
