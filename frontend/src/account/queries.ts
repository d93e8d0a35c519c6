import { queryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import type { ResponseBody } from '../api/bodies';
import { client, csrfHeader } from '../api/client';
import { unwrap } from '../api/problem';

export type ListedSession = ResponseBody<'/v1/sessions'>['items'][number];

const KEY = ['sessions'] as const;

/** Where the member is logged in. */
export const sessionsQuery = queryOptions({
  queryKey: KEY,
  queryFn: () => unwrap(client.GET('/v1/sessions')),
});

export function useEndSession() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      unwrap(
        client.DELETE('/v1/sessions/{id}', { params: { path: { id }, header: csrfHeader() } }),
      ),
    // A session that has expired meanwhile leaves the list too.
    onSettled: () => queries.invalidateQueries({ queryKey: KEY }),
  });
}
