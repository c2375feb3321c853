import { QueryCache, QueryClient, MutationCache } from '@tanstack/react-query';
import { ApiProblem } from './problem.ts';

declare module '@tanstack/react-query' {
  interface Register {
    defaultError: ApiProblem;
  }
}

/** Reading is tried again where trying helps; a write never is by itself. `signedOut` hears of each 401. */
export function newQueryClient(signedOut: () => void): QueryClient {
  const heed = (error: unknown) => {
    if (error instanceof ApiProblem && error.status === 401) signedOut();
  };
  return new QueryClient({
    queryCache: new QueryCache({ onError: heed }),
    mutationCache: new MutationCache({ onError: heed }),
    defaultOptions: {
      queries: {
        staleTime: 10_000,
        retry: (count, error) => count < 2 && (error.status === 0 || error.status === 429 || error.status >= 502),
        retryDelay: (count, error) => (error.retryAfter ? Math.min(error.retryAfter, 10) * 1000 : 400 * 2 ** count),
      },
      mutations: { retry: false },
    },
  });
}
