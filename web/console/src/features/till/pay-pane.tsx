import type { ApiProblem } from '@patron/shared/api/problem.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Points } from '@patron/shared/ui/points.tsx';
import { Money } from '@patron/shared/ui/money.tsx';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { RefObject } from 'react';
import { useTranslation } from 'react-i18next';
import type { SaleTrace, TillCheckoutView } from '@patron/shared/api/schema.d.ts';
import { standingQuery } from '../../ui/standing.tsx';
import type { Place, Shop } from './device.ts';
import { Trouble } from './dialog.tsx';
import { payKinds } from './money.ts';
import { changed, previewOf, useSettled, type Order } from './order.ts';
import styles from './till.module.css';

interface Props {
  order: Order;
  shop: Shop;
  place: Place;
  total: number | undefined;
  byPoints: number;
  off: number;
  /** A quote of this very basket. */
  quote: TillCheckoutView | undefined;
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
export function PayPane({ order, shop, place, total, byPoints, off, quote, offline, pay, setPay, may, busy, problem, button, take }: Props) {
  const { t } = useTranslation('till');
  const { money } = useFormat();
  const collect = Math.max(0, (total ?? 0) - off - byPoints);
  return (
    <section className={styles.pane} aria-label={t('pay.title')}>
      <dl className={styles.sum}>
        <dt>{t('pay.bill')}</dt><dd>{money(total ?? 0, shop.currency)}</dd>
        {off > 0 && <><dt className={styles.second}>{t('pay.coupons')}</dt><dd className={styles.second}>{money(-off, shop.currency)}</dd></>}
        {byPoints > 0 && <><dt className={styles.second}>{t('pay.points')}</dt><dd className={styles.second}>{money(-byPoints, shop.currency)}</dd></>}
      </dl>
      <div className={styles.collect}>
        <div className={styles.label}>{t('pay.collect')}</div>
        <div className={styles.total}><Money amount={collect} currency={shop.currency} /></div>
      </div>
      <Earns order={order} shop={shop} place={place} total={total} quote={quote} offline={offline} />
      <div className={styles.bottom}>
        {problem && <Trouble>{problem.status === 0 && byPoints + off > 0 ? t(off > 0 ? 'coupons.offline' : 'spend.offline') : problem.code === changed ? t('coupons.changed') : problem.message}</Trouble>}
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
function Earns({ order, shop, place, total, quote, offline }: Pick<Props, 'order' | 'shop' | 'place' | 'total' | 'quote' | 'offline'>) {
  const { t } = useTranslation('till');
  const { day, named } = useFormat();
  const standing = useQuery({ ...standingQuery(order.member?.id ?? ''), enabled: false }).data?.find((s) => s.main); // the card has asked
  const wish = `${order.member?.id ?? ''}|${total ?? 0}|${order.byLines ? order.items.length : ''}|${order.coupons.join()}|${quote?.off ?? 0}`;
  const asked = useSettled(wish);
  const current = asked === wish;
  const ready = !!order.member?.id && (total ?? 0) > 0 && !offline;
  const preview = useQuery({
    queryKey: ['till', 'preview', asked],
    enabled: ready && current,
    retry: false,
    staleTime: 30_000,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => previewOf(order, total!, quote, place, shop, signal),
  });
  if (!order.member) return <p className={styles.note}>{t('pay.nobody')}</p>;
  if (offline || order.member.typed) return <p className={styles.note}>{t('pay.earnLater')}</p>;
  if (!ready || !preview.data) return <div className={styles.earnsEmpty} />;
  const rises = preview.data.tier && order.member.tier && preview.data.tier !== order.member.tier ? preview.data.tier : undefined;
  const given = (preview.data.points ?? []).filter((p) => shop.currencies.find((c) => c.code === p.currency)?.kind === 'points');
  const sum = given.reduce((n, p) => n + p.amount, 0);
  const first = given[0];
  const wallet = order.member.wallets?.find((w) => w.currency === first?.currency);
  return (
    <>
      <div className={styles.earns} data-stale={!current || preview.isPlaceholderData}>
        <b>{t('pay.earns')} <Points amount={sum} decimals={wallet?.decimals} /></b>
        {first && <span>{first.state === 'pending' ? t('pay.earnsOn', { day: day(first.usable_at) }) : t('pay.earnsNow')}</span>}
        {rises && <span>{t('pay.rises', { tier: rises === standing?.next?.tier.code ? named(standing.next.tier) : rises })}</span>}
        {(preview.data.notices ?? []).map((n) => <Notice key={n.code} en={n.title} zh={n.title_zh} />)}
      </div>
      <Why trace={preview.data.trace ?? []} shop={shop} />
      {wallet && (order.spend[wallet.currency] ?? 0) > 0 && <p className={styles.note}>{t('pay.left')} <Points amount={wallet.available - order.spend[wallet.currency]!} decimals={wallet.decimals} /></p>}
    </>
  );
}

/** Which rules give how much, where more than one does. */
function Why({ trace, shop }: { trace: SaleTrace[]; shop: Shop }) {
  const { t } = useTranslation('till');
  const { named, points } = useFormat();
  const given = trace.filter((r) => (r.outcome === 'given' || r.outcome === 'capped') && (r.amount ?? 0) > 0);
  if (given.length < 2) return null;
  return (
    <ul className={styles.why} aria-label={t('pay.why')}>
      {given.slice(0, 4).map((r) => <li key={r.rule}><span>{named(r) || t('pay.base')}</span><span>{points(r.amount ?? 0, { decimals: shop.currencies.find((c) => c.code === r.currency)?.decimals ?? 0, signed: true })}</span></li>)}
    </ul>
  );
}

export function Notice({ en, zh }: { en: string; zh: string }) {
  const { i18n } = useTranslation();
  return <span>{i18n.language === 'zh-CN' ? zh : en}</span>;
}
