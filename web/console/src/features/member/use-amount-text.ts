import { useFormat } from '@patron/shared/format/use-format.ts';
import { useQuery } from '@tanstack/react-query';
import { useCurrencies } from '../../frame/lookups.ts';
import { programQuery } from '../../frame/me.ts';

/** An amount of a point currency in a sentence: stored value as money, the others as points. */
export function useAmountText() {
  const { money, points } = useFormat();
  const { list } = useCurrencies();
  const own = useQuery(programQuery).data?.currency;
  return (amount: number, code: string): string => {
    const one = list.find((c) => c.code === code);
    return one?.kind === 'stored' && own ? money(amount, own) : points(amount, { decimals: one?.policy.decimals ?? 0 });
  };
}
