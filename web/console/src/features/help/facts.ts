import { api, ok } from '@patron/shared/api/client.ts';
import { useQueries } from '@tanstack/react-query';
import type { Fact } from './guides.ts';

const one = { params: { query: { limit: 1 } } };

// Each asks for as little as tells whether there is any.
const looks: Record<Fact, () => Promise<boolean>> = {
  stores: async () => ((await ok(api.GET('/v1/stores', one))).items ?? []).length > 0,
  tills: async () => ((await ok(api.GET('/v1/tills', one))).items ?? []).length > 0,
  staff: async () => ((await ok(api.GET('/v1/staff', { params: { query: { limit: 2 } } }))).items ?? []).length > 1, // beside oneself
  members: async () => ((await ok(api.GET('/v1/members', one))).items ?? []).length > 0,
  sales: async () => ((await ok(api.GET('/v1/sales', one))).items ?? []).length > 0,
  backups: async () => ((await ok(api.GET('/v1/backups'))).items ?? []).some((b) => b.verified),
};

/** Which of the facts hold; one that is not known, or that one may not ask for, is absent. */
export function useFacts(facts: Fact[]): Partial<Record<Fact, boolean>> {
  return useQueries({
    queries: facts.map((fact) => ({ queryKey: ['help', fact], queryFn: looks[fact], retry: false, staleTime: 10_000 })),
    combine: (results) => Object.fromEntries(results.flatMap((r, i) => (r.data === undefined ? [] : [[facts[i]!, r.data]]))) as Partial<Record<Fact, boolean>>,
  });
}
