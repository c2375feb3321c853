import { api, ok } from '@patron/shared/api/client.ts';
import type { CondEntry, CondParam } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { queryOptions, useQuery } from '@tanstack/react-query';
import type { kindOf } from './draft.ts';

export type Kind = ReturnType<typeof kindOf> | 'line';
export type Entry = CondEntry;
export type Param = CondParam;

const vocabularyQuery = (kind: Kind) => queryOptions({ queryKey: ['vocabulary', kind], staleTime: 5 * 60_000, queryFn: () => ok(api.GET('/v1/rules/vocabulary', { params: { query: { kind } } })) });

/** What conditions of a kind may ask, in the person's language. */
export function useVocabulary(kind: Kind) {
  const { language } = useFormat();
  const entries = useQuery(vocabularyQuery(kind)).data?.items;
  const said = (it: { en: string; zh: string }) => (language === 'zh-CN' ? it.zh || it.en : it.en || it.zh);
  return { entries, said };
}

/** Of which thing a field speaks: member, sale, line, event, now; else the functions. */
export const rootOf = (name: string) => (['member', 'sale', 'line', 'event', 'now'] as const).find((root) => name.startsWith(`${root}.`)) ?? 'text';

/** What a text names, so that it is picked rather than typed. */
export function namesOf(field: string, param?: Param): 'store' | 'category' | 'sku' | undefined {
  if (param) {
    if (['member.spent_on', 'member.bought', 'sale.amount_of', 'sale.pieces_of', 'line.in_category'].includes(field)) return 'category';
    return field === 'sale.has_sku' ? 'sku' : undefined;
  }
  return ({ 'member.store': 'store', 'sale.store': 'store', 'line.category': 'category', 'line.sku': 'sku' } as const)[field as 'sale.store'];
}

/** The arguments with which a field begins. */
export const firstArgs = (entry: Entry | undefined): (string | number)[] => (entry?.args ?? []).filter((a) => !a.optional).map((a) => a.values?.[0] ?? (a.type === 'whole' ? 30 : ''));

/** The value with which an operator begins. */
export function firstValue(entry: Entry, operator: string): unknown {
  if (operator === 'in' || operator === 'notIn') return [];
  switch (entry.type) {
    case 'yes_no': return true;
    case 'whole': return Math.max(1, entry.min ?? 0);
    case 'number': return 1;
    case 'money': return '100';
    case 'time': return '14:00';
    default: return entry.values?.[0]?.value ?? '';
  }
}
