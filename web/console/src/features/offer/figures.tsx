import { api, ok } from '@patron/shared/api/client.ts';
import type { OfferView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useQuery } from '@tanstack/react-query';
import { Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { Amount } from '../../ui/amount.tsx';
import { ErrorState } from '../../ui/states.tsx';
import styles from './offer-page.module.css';

/** What an offer came to so far. */
export function Figures({ offer }: { offer: OfferView }) {
  const { t } = useTranslation('offer');
  const { count, percent } = useFormat();
  const found = useQuery({ queryKey: ['offers', 'figures', offer.id], queryFn: () => ok(api.GET('/v1/offers/{id}/figures', { params: { path: { id: offer.id } } })) });
  if (found.error) return <ErrorState error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton active />;
  const f = found.data;
  return (
    <dl className={styles.facts}>
      {(['received', 'viewed', 'accepted', 'completed', 'expired'] as const).map((k) => <div key={k}><dt>{t(`figures.${k}`)}</dt><dd>{count(f[k])}{k === 'completed' && f.received > 0 && <span className="quiet"> {percent(f.completed / f.received)}</span>}</dd></div>)}
      {(f.cost ?? []).map((c) => <div key={c.currency}><dt>{t('figures.cost')}</dt><dd><Amount amount={c.amount} currency={c.currency} /></dd></div>)}
    </dl>
  );
}
