import type { ApiProblem } from '@patron/shared/api/problem.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Points } from '@patron/shared/ui/points.tsx';
import { Money } from '@patron/shared/ui/money.tsx';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { RefObject } from 'react';
import { useTranslation } from 'react-i18next';
import type { Place, Shop } from './device.ts';
import { Trouble } from './dialog.tsx';
import { payKinds } from './money.ts';
import { previewOf, useSettled, type Order } from './order.ts';
import styles from './till.module.css';

interface Props {
  order: Order;
  shop: Shop;
  place: Place;
  total: number | undefined;
  byPoints: number;
  offline: boolean;
  pay: string;
  setPay: (kind: string) => void;
  may: boolean;
  busy: boolean;
  problem: ApiProblem | undefined;
  button: RefObject<HTMLButtonElement | null>;
  take: () => void;
}

/** What to collect, and the button that says it. */
export function PayPane({ order, shop, place, total, byPoints, offline, pay, setPay, may, busy, problem, button, take }: Props) {
  const { t } = useTranslation('till');
  const { money } = useFormat();
  const collect = Math.max(0, (total ?? 0) - byPoints);
  return (
    <section className={styles.pane} aria-label={t('pay.title')}>
      <dl className={styles.sum}>
        <dt>{t('pay.bill')}</dt><dd>{money(total ?? 0, shop.currency)}</dd>
        {byPoints > 0 && <><dt className={styles.second}>{t('pay.points')}</dt><dd className={styles.second}>{money(-byPoints, shop.currency)}</dd></>}
      </dl>
      <div className={styles.collect}>
        <div className={styles.label}>{t('pay.collect')}</div>
        <div className={styles.total}><Money amount={collect} currency={shop.currency} /></div>
      </div>
      <Earns order={order} shop={shop} place={place} total={total} offline={offline} />
      <div className={styles.bottom}>
        {problem && <Trouble>{problem.status === 0 && byPoints > 0 ? t('spend.offline') : problem.message}</Trouble>}
        <div className={styles.kinds} role="radiogroup" aria-label={t('pay.kind')}>
          {payKinds.map((kind) => <label key={kind}><input type="radio" name="till-pay" checked={pay === kind} onChange={() => setPay(kind)} /><span>{t(`pay.kinds.${kind}`)}</span></label>)}
        </div>
        <button ref={button} type="button" className={styles.primary} disabled={!may || busy} onClick={take}>
          {total === undefined ? t('pay.take') : t('pay.takeSum', { money: money(collect, shop.currency) })}<kbd>F9</kbd>
        </button>
      </div>
    </section>
  );
}

/** What the sale would earn. Without a line it earns the same, only nobody can say how much. */
function Earns({ order, shop, place, total, offline }: Pick<Props, 'order' | 'shop' | 'place' | 'total' | 'offline'>) {
  const { t } = useTranslation('till');
  const { day } = useFormat();
  const asked = useSettled(`${order.member?.id ?? ''}|${total ?? 0}|${order.byLines ? order.items.length : ''}`);
  const current = asked === `${order.member?.id ?? ''}|${total ?? 0}|${order.byLines ? order.items.length : ''}`;
  const ready = !!order.member?.id && (total ?? 0) > 0 && !offline;
  const preview = useQuery({
    queryKey: ['till', 'preview', asked],
    enabled: ready && current,
    retry: false,
    staleTime: 30_000,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => previewOf(order, total!, place, shop, signal),
  });
  if (!order.member) return <p className={styles.note}>{t('pay.nobody')}</p>;
  if (offline || order.member.typed) return <p className={styles.note}>{t('pay.earnLater')}</p>;
  if (!ready || !preview.data) return <div className={styles.earnsEmpty} />;
  const given = (preview.data.points ?? []).filter((p) => shop.currencies.find((c) => c.code === p.currency)?.kind === 'points');
  const sum = given.reduce((n, p) => n + p.amount, 0);
  const first = given[0];
  const wallet = order.member.wallets?.find((w) => w.currency === first?.currency);
  return (
    <>
      <div className={styles.earns} data-stale={!current || preview.isPlaceholderData}>
        <b>{t('pay.earns')} <Points amount={sum} decimals={wallet?.decimals} /></b>
        {first && <span>{first.state === 'pending' ? t('pay.earnsOn', { day: day(first.usable_at) }) : t('pay.earnsNow')}</span>}
        {(preview.data.notices ?? []).map((n) => <Notice key={n.code} en={n.title} zh={n.title_zh} />)}
      </div>
      {wallet && (order.spend[wallet.currency] ?? 0) > 0 && <p className={styles.note}>{t('pay.left')} <Points amount={wallet.available - order.spend[wallet.currency]!} decimals={wallet.decimals} /></p>}
    </>
  );
}

export function Notice({ en, zh }: { en: string; zh: string }) {
  const { i18n } = useTranslation();
  return <span>{i18n.language === 'zh-CN' ? zh : en}</span>;
}
