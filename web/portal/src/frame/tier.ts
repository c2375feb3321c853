import { api, ok } from '@patron/shared/api/client.ts';
import { useStandingWords } from '@patron/shared/standing/words.ts';
import { queryOptions } from '@tanstack/react-query';
import { keepRows } from './blocks.ts';
import { useMe } from './me.ts';
import { useProgram } from './program.ts';

/** Where one stands, the main ladder first; none where the programme has no tiers. */
export const tierQuery = queryOptions({
  queryKey: ['tier'],
  staleTime: 15_000,
  queryFn: async () => {
    const { items } = await ok(api.GET('/portal/v1/tier'));
    keepRows('tier', items?.[0]?.next ? 96 : items?.[0]?.tier ? 52 : 0);
    return items ?? [];
  },
});

/** Words of tiers, with what money and growth value the programme has. */
export function useWords(growth?: string) {
  const money = useProgram()?.joining.money;
  const decimals = useMe().wallets?.find((w) => w.currency === growth)?.decimals ?? 0;
  return useStandingWords({ money, decimals });
}
