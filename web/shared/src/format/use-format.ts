import { createContext, useContext, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Language } from '../i18n/i18n.ts';
import * as format from './format.ts';

/** The programme's zone; until it is known the browser's serves. */
export const ZoneContext = createContext(Intl.DateTimeFormat().resolvedOptions().timeZone);

const dated = (at: string | Date) => (typeof at === 'string' ? new Date(at) : at);

/** The formats in the person's language and the programme's zone. Instants come as the API writes them. */
export function useFormat() {
  const { i18n } = useTranslation();
  const zone = useContext(ZoneContext);
  const language = i18n.language as Language;
  return useMemo(() => {
    const place = { language, zone };
    return {
      ...place,
      money: (amount: number, currency: string, options?: Parameters<typeof format.formatMoney>[3]) => format.formatMoney(amount, currency, language, options),
      points: (amount: number, options?: Parameters<typeof format.formatPoints>[2]) => format.formatPoints(amount, language, options),
      count: format.formatCount,
      percent: format.formatPercent,
      axis: (n: number) => format.formatAxis(n, language),
      day: (at: string | Date) => format.formatDay(dated(at), place),
      when: (at: string | Date) => format.formatWhen(dated(at), place),
      exact: (at: string | Date) => format.formatExact(dated(at), place),
      deadline: (end: string | Date) => format.formatDeadline(dated(end), place),
      /** Of the two names that the API gives, the one to show. */
      named: (it: { name_en?: string | undefined; name_zh?: string | undefined }) => (language === 'zh-CN' ? it.name_zh || it.name_en : it.name_en || it.name_zh) ?? '',
    };
  }, [language, zone]);
}
