import type { PortalOwnWallet } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useProgram } from './program.ts';

type Kind = Pick<PortalOwnWallet, 'kind' | 'decimals'>;

/** How much of a wallet: points end in their unit, stored value is money, growth has a bare figure. */
export function useAmount() {
  const format = useFormat();
  const money = useProgram()?.joining.money ?? 'CNY';
  return (amount: number, wallet: Kind, signed = false): string => {
    if (wallet.kind === 'stored') return format.money(amount, money, { signed });
    if (wallet.kind === 'growth') return (signed && amount > 0 ? '+' : '') + format.count(amount);
    return format.points(amount, { decimals: wallet.decimals, signed });
  };
}
