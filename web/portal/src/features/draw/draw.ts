import { api, ok } from '@patron/shared/api/client.ts';
import type { DrawPlayView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { infiniteQueryOptions, queryOptions } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';

export const drawsQuery = queryOptions({ queryKey: ['draws'], queryFn: () => ok(api.GET('/portal/v1/draws')) });

export const drawQuery = (id: string) => queryOptions({ queryKey: ['draws', id], queryFn: () => ok(api.GET('/portal/v1/draws/{id}', { params: { path: { id } } })) });

export const playsQuery = infiniteQueryOptions({
  queryKey: ['draws', 'plays'],
  initialPageParam: undefined as string | undefined,
  queryFn: ({ pageParam }) => ok(api.GET('/portal/v1/plays', { params: { query: { cursor: pageParam, limit: 20 } } })),
  getNextPageParam: (page) => page.next_cursor,
});

/** Odds as people read them: "1 in 40" says more than 2.5 %, and is exact where it can be. */
export function useOdds() {
  const { t } = useTranslation('draw');
  const format = useFormat();
  return (odds: number) => {
    if (odds === 0) return t('odds.never');
    const percent = (odds / 10_000).toFixed(4).replace(/\.?0+$/, '');
    return 1_000_000 % odds === 0 && odds < 1_000_000 ? t('odds.oneIn', { percent, n: format.count(1_000_000 / odds) }) : t('odds.percent', { percent });
  };
}

/** What was won, as the member reads it. */
export function usePrizeName() {
  const { t } = useTranslation('draw');
  const { named } = useFormat();
  return (p: DrawPlayView) => (p.won ? named({ name_en: p.prize_name_en, name_zh: p.prize_name_zh }) : t('nothing'));
}
