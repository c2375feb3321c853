import { api, ok } from '@patron/shared/api/client.ts';
import type { RuleDefinition, RuleGroup, RuleView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { queryOptions, useQuery } from '@tanstack/react-query';

export type Rule = RuleView;
export type Definition = RuleDefinition;
export type Group = RuleGroup;
export type State = RuleView['state'];
export type On = Definition['trigger']['on'];

export const states: State[] = ['draft', 'scheduled', 'live', 'paused', 'ended'];
export const triggers: On[] = ['sale', 'event', 'joined', 'birthday', 'anniversary', 'schedule', 'tier_reached', 'profile_completed'];

/** The state of a rule as it is spelt in the API: a filter of the address may say anything. */
export const oneOf = <T extends string>(list: readonly T[], value: string | undefined) => list.find((one) => one === value);

export const ruleQuery = (ref: string) => queryOptions({ queryKey: ['rule', ref], queryFn: () => ok(api.GET('/v1/rules/{ref}', { params: { path: { ref } } })) });

/** Every rule, for pages that set them side by side: one page of the API, since there are seldom more. */
export const rulesListQuery = queryOptions({ queryKey: ['rules', 'all'], queryFn: async () => (await ok(api.GET('/v1/rules', { params: { query: { limit: 200 } } }))).items ?? [] });

export const groupsQuery = queryOptions({ queryKey: ['rule-groups'], staleTime: 60_000, queryFn: () => ok(api.GET('/v1/rule-groups')) });
export const useGroups = () => useQuery(groupsQuery).data?.items ?? [];

/** The server's sentence in the person's language. */
export function useSaid() {
  const { language } = useFormat();
  return (words: { en: string; zh: string } | undefined) => (words ? (language === 'zh-CN' ? words.zh || words.en : words.en || words.zh) : '');
}

/** Its name, or its code where it has none in any language. */
export function useRuleName() {
  const { named } = useFormat();
  return (it: { code: string; name_en?: string; name_zh?: string }) => named({ name_en: it.name_en ?? '', name_zh: it.name_zh ?? '' }) || it.code;
}

/** What shows rules, and is asked again after a change of one. */
export const ruleKeys = [['rules'], ['rule'], ['rule-versions']];
