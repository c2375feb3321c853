import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import { currenciesQuery } from '../../frame/lookups.ts';
import { programQuery } from '../../frame/me.ts';
import type { Units } from './scheme.ts';

/** The programme's money and the decimals of its point currencies, once both are known. */
export function useUnits(): Units | undefined {
  const money = useQuery(programQuery).data?.currency;
  const currencies = useQuery(currenciesQuery).data?.items;
  return useMemo(() => money && currencies ? { money, pointDecimals: (code: string) => currencies.find((c) => c.code === code)?.policy.decimals ?? 0 } : undefined, [money, currencies]);
}
