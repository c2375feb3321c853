import { api, ok } from '@patron/shared/api/client.ts';
import type { TierProgress } from '@patron/shared/api/schema.d.ts';
import { useStandingWords } from '@patron/shared/standing/words.ts';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useCurrencies } from '../frame/lookups.ts';
import { programQuery } from '../frame/me.ts';
import styles from './standing.module.css';

/** Where a member stands in each ladder, the main one first. It lies under the member's other reads. */
export const standingQuery = (member: string) =>
  queryOptions({ queryKey: ['member', member, 'standing'], queryFn: async () => (await ok(api.GET('/v1/members/{ref}/tier', { params: { path: { ref: member } } }))).items ?? [] });

/** The words of tiers with the programme's money and the decimals of a growth value. */
export function useTierWords(currency?: string) {
  const money = useQuery(programQuery).data?.currency;
  const currencies = useCurrencies();
  return useStandingWords({ money, decimals: currency ? currencies.decimalsOf(currency) : 0 });
}

/** How far a tier is: in words, then as a bar, then what was counted. */
export function ProgressBar({ progress: p, onCard }: { progress: TierProgress; onCard?: boolean }) {
  const { t } = useTranslation('ui');
  const words = useTierWords(p.evidence.parts?.find((part) => part.currency)?.currency);
  const counted = (p.evidence.parts ?? []).filter((part) => part.metric !== 'condition').map(words.counted);
  const said = p.evidence.met ? t('standing.met') : words.lacks(p.evidence);
  return (
    <div className={onCard ? styles.onCard : styles.progress}>
      <p className={styles.said}>{said}</p>
      <div className={styles.bar} role="progressbar" aria-valuenow={p.percent} aria-valuemin={0} aria-valuemax={100} aria-label={said}><i style={{ width: `${p.percent}%` }} /></div>
      {!onCard && counted.length > 0 && <p className="quiet">{counted.join(t('standing.comma'))}</p>}
    </div>
  );
}
