import { MutationCache, QueryCache, QueryClient } from '@tanstack/react-query';
import { isTransient, ProblemError } from './problem';
import { endSession, sessionQuery } from './session';

const RETRIES_MAX = 2;
/** How soon a page retries what it could not load. */
const AGAIN_MS = 5_000;

/** The cache of server state, with the defaults of every call. */
export function createQueryClient(): QueryClient {
  const onError = (error: Error) => {
    if (!(error instanceof ProblemError)) return;
    if (error.status === 401 && !error.is('wrong-credentials')) endSession(queries);
    // Another window has begun a session of its own: look up whose it is.
    if (error.isOfAnotherSession) {
      void queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
    }
  };
  const queries: QueryClient = new QueryClient({
    queryCache: new QueryCache({ onError }),
    mutationCache: new MutationCache({ onError }),
    defaultOptions: {
      queries: {
        retry: (failures, error) => failures < RETRIES_MAX && isTransientError(error),
        refetchInterval: ({ state }) => isTransientError(state.error) && AGAIN_MS,
        // Daybook may run on this machine, where no network is needed.
        networkMode: 'always',
      },
      // Passwords and tokens pass through mutations; none is kept longer than its form.
      mutations: { networkMode: 'always', gcTime: 0 },
    },
  });
  return queries;
}

const isTransientError = (error: Error | null) =>
  error instanceof ProblemError && isTransient(error);
