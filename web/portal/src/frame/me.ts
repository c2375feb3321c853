import { api } from '@patron/shared/api/client.ts';
import { ApiProblem } from '@patron/shared/api/problem.ts';
import type { PortalHomeHomeOutBody, PortalOwnWallet } from '@patron/shared/api/schema.d.ts';
import { queryOptions, type QueryClient } from '@tanstack/react-query';
import { createContext, useContext } from 'react';
import { ahead } from './ahead.ts';

export interface Me extends PortalHomeHomeOutBody {
  /** Of what the service worker had kept: when it was read. Absent where it is fresh. */
  asOf?: string;
}

function dated(me: PortalHomeHomeOutBody, response: Response): Me {
  const asOf = response.headers.get('X-Patron-As-Of');
  return asOf ? { ...me, asOf } : me;
}

/** The card of who is signed in; null for nobody. */
export const meQuery = queryOptions({
  queryKey: ['me'],
  staleTime: 15_000,
  queryFn: async (): Promise<Me | null> => {
    try {
      const early = await ahead('me');
      if (early?.ok) return dated((await early.json()) as PortalHomeHomeOutBody, early);
      if (early?.status === 401) return null;
      const { data, response } = await api.GET('/portal/v1/me');
      return dated(data!, response);
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) return null;
      throw error;
    }
  },
});

/** Set by the shell: a page under it never sees the moment after a sign-out. */
export const MeContext = createContext<Me | undefined>(undefined);

/** For pages that only the signed in see. */
export function useMe(): Me {
  const me = useContext(MeContext);
  if (!me) throw new Error('useMe outside of the shell');
  return me;
}

/** The wallet that purchases earn into: the headline of the card. */
export function mainWallet(wallets: PortalOwnWallet[], earning: string | undefined): PortalOwnWallet | undefined {
  return wallets.find((w) => w.currency === earning) ?? wallets.find((w) => w.kind === 'points');
}

/** Forgets everything of the member, in the page and in what is kept for offline. */
export async function forget(client: QueryClient) {
  // The card stays observed by the page that watches who is signed in: to clear it would leave that page standing.
  client.setQueryData(meQuery.queryKey, null);
  client.removeQueries({ predicate: ({ queryKey: [first] }) => first !== 'me' && first !== 'program' });
  client.getMutationCache().clear();
  if ('caches' in window) await caches.delete('patron-member');
}
