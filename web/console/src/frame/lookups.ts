import { api, ok } from '@patron/shared/api/client.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useCan } from './me.ts';

/*
 * Short lists that many pages turn ids into names with. Each is read once and kept for minutes.
 */

const kept = { staleTime: 5 * 60_000 };

export const storesQuery = queryOptions({ ...kept, queryKey: ['stores', 'all'], queryFn: () => ok(api.GET('/v1/stores', { params: { query: { limit: 200 } } })) });
const merchantsQuery = queryOptions({ ...kept, queryKey: ['merchants', 'all'], queryFn: () => ok(api.GET('/v1/merchants', { params: { query: { limit: 200 } } })) });
export const currenciesQuery = queryOptions({ ...kept, queryKey: ['currencies'], queryFn: () => ok(api.GET('/v1/currencies')) });
const colleaguesQuery = queryOptions({ ...kept, queryKey: ['colleagues'], queryFn: () => ok(api.GET('/v1/colleagues', { params: { query: { limit: 200 } } })) });

/** The stores, and what a store's id is called. */
export function useStores() {
  const { named } = useFormat();
  const stores = useQuery(storesQuery).data?.items;
  const list = stores ?? [];
  const nameOf = (id: string | undefined) => {
    const store = list.find((s) => s.id === id);
    return store ? named(store) : stores && id ? id : ''; // nothing until they are known: an id would show, and go again
  };
  return { list, nameOf, options: list.map((s) => ({ value: s.id, label: named(s) })) };
}

/** The merchants, and what a merchant's id is called. */
export function useMerchants() {
  const { named } = useFormat();
  const list = useQuery(merchantsQuery).data?.items ?? [];
  const nameOf = (id: string | undefined) => {
    const merchant = list.find((m) => m.id === id);
    return merchant ? named(merchant) : (id ?? '');
  };
  return { list, nameOf };
}

/** The point currencies, and how many decimals a code has. */
export function useCurrencies() {
  const { named } = useFormat();
  const query = useQuery(currenciesQuery);
  const list = query.data?.items ?? [];
  const one = (code: string) => list.find((c) => c.code === code);
  return {
    list,
    query,
    nameOf: (code: string) => {
      const currency = one(code);
      return currency ? named(currency) : code;
    },
    decimalsOf: (code: string) => one(code)?.policy.decimals ?? 0,
    options: list.map((c) => ({ value: c.code, label: named(c) })),
  };
}

/** The colleagues, for who may give work to one. */
export function useColleagues() {
  const may = useCan()('members.write');
  return useQuery({ ...colleaguesQuery, enabled: may }).data?.items ?? [];
}

/** Who did something, in words: `staff:stf_…` is a colleague's name, `key:key_…` stays. */
export function useActors() {
  const list = useColleagues();
  return (actor: string | undefined) => {
    if (!actor) return '';
    const id = actor.replace(/^staff:/, '');
    return list.find((c) => c.id === id)?.name || actor;
  };
}
