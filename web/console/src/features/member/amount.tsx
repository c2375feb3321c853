import { Money } from '@patron/shared/ui/money.tsx';
import { Points } from '@patron/shared/ui/points.tsx';
import { useQuery } from '@tanstack/react-query';
import { useCurrencies } from '../../frame/lookups.ts';
import { programQuery } from '../../frame/me.ts';

interface Props {
  amount: number;
  /** Code of the point currency. */
  currency: string;
  signed?: boolean;
}

/** An amount of a point currency: stored value is money, and looks like it; the others are points. */
export function Amount({ amount, currency, signed }: Props) {
  const { list } = useCurrencies();
  const money = useQuery(programQuery).data?.currency;
  const one = list.find((c) => c.code === currency);
  if (one?.kind === 'stored' && money) return <Money amount={amount} currency={money} signed={signed} />;
  return <Points amount={amount} decimals={one?.policy.decimals ?? 0} signed={signed} />;
}
