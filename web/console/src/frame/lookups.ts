import { api, ok } from '@patron/shared/api/client.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useCan } from './me.ts';

/*
 * Short lists that many pages turn ids into names with. Each is read once and kept for minutes.
 */

const kept = { staleTime: 5 * 60_000 };

export const storesQuery = queryOptions({ ...kept, queryKey: ['stores', 'all'], queryFn: () => ok(api.GET('/v1/stores', { params: { query: { limit: 200 } } })) });
const merchantsQuery = queryOptions({ ...kept, queryKey: ['merchants', 'all'], queryFn: () => ok(api.GET('/v1/merchants', { params: { query: { limit: 200 } } })) });
export const currenciesQuery = queryOptions({ ...kept, queryKey: ['currencies'], queryFn: () => ok(api.GET('/v1/currencies')) });
const rulesQuery = queryOptions({ ...kept, queryKey: ['rules', 'names'], queryFn: () => ok(api.GET('/v1/rules', { params: { query: { limit: 200 } } })) });
/** How many stand on each tier is in it too, so it lies under what changes that. */
export const tiersQuery = queryOptions({ queryKey: ['tiers', 'ladders'], queryFn: () => ok(api.GET('/v1/tiers')), staleTime: 60_000 });
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

/** What the code of a rule is called; the code itself where it is not known, or not to be seen. */
export function useRuleNames() {
  const { named } = useFormat();
  const may = useCan()('rules.read');
  const list = useQuery({ ...rulesQuery, enabled: may }).data?.items ?? [];
  return (code: string) => {
    const one = list.find((r) => r.rule.code === code)?.rule;
    return (one && named({ name_en: one.name_en ?? '', name_zh: one.name_zh ?? '' })) || code;
  };
}

/** The live ladders, the main one first, and what a tier's code is called. */
export function useTiers() {
  const { named } = useFormat();
  const may = useCan()('rules.read');
  const query = useQuery({ ...tiersQuery, enabled: may });
  const ladders = query.data?.items ?? [];
  const main = ladders.find((l) => l.main);
  const of = (scheme?: string) => (scheme ? ladders.find((l) => l.scheme === scheme) : main)?.tiers ?? [];
  return {
    /** Whether there are tiers to show; while nobody knows yet their place is kept. */
    some: may && (query.isPending || of().length > 0),
    /** Of the main ladder, the lowest first. */
    list: of(),
    of,
    nameOf: (code: string, scheme?: string) => {
      const tier = of(scheme).find((one) => one.code === code);
      return tier ? named(tier) : code;
    },
    schemeName: (scheme: string) => {
      const ladder = ladders.find((l) => l.scheme === scheme);
      return ladder ? named(ladder) : scheme;
    },
  };
}

/** The colleagues, for who may give work to one. */
export function useColleagues() {
  const may = useCan()('members.write');
  return useQuery({ ...colleaguesQuery, enabled: may }).data?.items ?? [];
}

/** What the audit trail says was done, in words; an action that has none stays as it is. */
export function useDid() {
  const { t, i18n } = useTranslation('frame');
  return (action: string) => (i18n.exists(`frame:did.${action}`) ? t(`did.${action}`) : action);
}

const others = ['key', 'member', 'till'] as const;

/** Who did something, in words: a colleague's name, or what kind of one it was. */
export function useActors() {
  const { t } = useTranslation('frame');
  const list = useColleagues();
  return (actor: string | undefined): string => {
    const id = actor?.replace(/^staff:/, '') ?? '';
    if (id.startsWith('stf_')) return list.find((c) => c.id === id)?.name || t('who.staff');
    const kind = id.split(':')[0];
    return t(`who.${others.find((k) => k === kind) ?? 'system'}`);
  };
}
