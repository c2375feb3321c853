import { api, ok } from '@patron/shared/api/client.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useQuery } from '@tanstack/react-query';

/** A shop has few stores: one page holds them. */
export const useStores = () =>
  useQuery({ queryKey: ['stores'], staleTime: 5 * 60_000, queryFn: () => ok(api.GET('/v1/stores', { params: { query: { limit: 200 } } })) }).data?.items ?? [];

/** The name of a store by its id; empty for none and while they load. */
export function useStoreNames(): (id: string | undefined) => string {
  const { named } = useFormat();
  const stores = useStores();
  return (id) => {
    const store = stores.find((s) => s.id === id);
    return store ? named(store) : '';
  };
}
