import { api, ok } from '@patron/shared/api/client.ts';
import type { CouponView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useQuery } from '@tanstack/react-query';
import { Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { ErrorState } from '../../ui/states.tsx';
import styles from './coupon.module.css';

/** What a coupon came to so far, each figure with what it counts. */
export function Figures({ coupon: c }: { coupon: CouponView }) {
  const { t } = useTranslation('coupon');
  const { count, percent, money } = useFormat();
  const found = useQuery({ queryKey: ['coupons', 'figures', c.id], queryFn: () => ok(api.GET('/v1/coupons/{id}/figures', { params: { path: { id: c.id }, query: { days: 90 } } })) });
  if (found.error) return <ErrorState error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton active />;
  const f = found.data;
  const used = f.redeemed - f.reversed;
  const rows: [string, string][] = [
    ...(c.shared_code ? [] : [['issued', count(f.issued)], ['claimed', count(f.claimed)]] as [string, string][]),
    ['redeemed', count(f.redeemed) + (f.issued > 0 && !c.shared_code ? ` · ${percent(used / f.issued)}` : '')],
    ['reversed', count(f.reversed)],
    ...(c.shared_code ? [] : [['expired', count(f.expired)]] as [string, string][]),
    ['members', count(f.members)],
    ['off', money(f.off, c.money_currency)],
    ['sales', count(f.sales)],
    ['sold', money(f.sold, c.money_currency)],
  ];
  return (
    <dl className={styles.figures}>
      {rows.map(([k, value]) => <div key={k}><dt>{t(`figures.${k}`)}</dt><dd>{value}</dd><dd className={styles.means}>{t(`figures.${k}Means`)}</dd></div>)}
    </dl>
  );
}
