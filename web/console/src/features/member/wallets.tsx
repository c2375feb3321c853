import type { LedgerWalletView, TierStandingView } from '@patron/shared/api/schema.d.ts';
import { ChartBox } from '@patron/shared/charts/chart-box.tsx';
import type { Colors } from '@patron/shared/charts/series.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { When } from '@patron/shared/ui/when.tsx';
import { useCallback, useMemo, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { standingQuery } from '../../ui/standing.tsx';
import { Amount } from '../../ui/amount.tsx';
import type { Member } from './api.ts';
import { StandingColumn } from './standing-part.tsx';
import styles from './wallets.module.css';

/** How far ahead something that ends counts as ending soon. */
const soonDays = 60;

/** What the member has: points, stored value, and what ends when. */
export function Wallets({ member }: { member: Member }) {
  const shown = (member.wallets ?? []).filter((w) => w.kind !== 'growth');
  const main = shown.find((w) => w.kind === 'points');
  const standing = useQuery(standingQuery(member.id)).data?.find((s) => s.main);
  if (shown.length === 0) return null;
  return (
    <section className={styles.row}>
      {shown.map((w) => (w.kind === 'stored' ? <Stored key={w.currency} wallet={w} /> : <PointsWallet key={w.currency} wallet={w} />))}
      {main && (!standing || shown.length === 1) && <Expiry wallet={main} />}
      {standing && <Standing standing={standing} to={`/members/${member.id}/standing`} />}
    </section>
  );
}

/** The way to the next tier, and to all that is known of it. */
function Standing({ standing, to }: { standing: TierStandingView; to: string }) {
  const { t } = useTranslation('member');
  return (
    <div className={styles.wallet}>
      <Head name={t('standing.title')} note={<Link to={to}>{t('standing.how')}</Link>} />
      <StandingColumn standing={standing} />
    </div>
  );
}

interface Piece {
  key: 'usable' | 'expiring' | 'held' | 'pending' | 'principal' | 'bonus';
  amount: number;
  note: ReactNode;
}

function PointsWallet({ wallet: w }: { wallet: LedgerWalletView }) {
  const { t } = useTranslation('member');
  const { named, deadline } = useFormat();
  const soon = useSoon(w);
  const next = w.activating?.[0];
  const pieces: Piece[] = [
    { key: 'usable', amount: w.available - soon.amount, note: t('wallet.usableNote') },
    { key: 'expiring', amount: soon.amount, note: soon.first ? t('wallet.expiringNote', { day: deadline(soon.first) }) : t('wallet.none') },
    { key: 'held', amount: w.held, note: w.held ? t('wallet.heldNote') : t('wallet.none') },
    { key: 'pending', amount: w.pending, note: next ? <>{t('wallet.pendingNote')} <When at={next.usable_at} as="day" /></> : t('wallet.none') },
  ];
  return (
    <div className={styles.wallet}>
      <Head name={named(w)} note={<>{t('wallet.lifetime')} <Amount amount={w.lifetime_earned} currency={w.currency} /></>} />
      <p className={styles.big}><Amount amount={w.available} currency={w.currency} /> <span>{t('wallet.usable')}</span></p>
      <Pieces pieces={pieces} currency={w.currency} />
      {w.debt > 0 && <p className={styles.debt}>{t('wallet.debt')} <Amount amount={w.debt} currency={w.currency} /></p>}
    </div>
  );
}

function Stored({ wallet: w }: { wallet: LedgerWalletView }) {
  const { t } = useTranslation('member');
  const { named } = useFormat();
  return (
    <div className={styles.wallet}>
      <Head name={named(w)} note={t('wallet.storedNote')} />
      <p className={styles.big}><Amount amount={w.available} currency={w.currency} /></p>
      <Pieces
        currency={w.currency}
        pieces={[
          { key: 'principal', amount: w.principal ?? 0, note: t('wallet.principalNote') },
          { key: 'bonus', amount: w.bonus ?? 0, note: t('wallet.bonusNote') },
          ...(w.held ? [{ key: 'held' as const, amount: w.held, note: t('wallet.heldNote') }] : []),
        ]}
      />
    </div>
  );
}

const Head = ({ name, note }: { name: string; note: ReactNode }) => <header className={styles.head}><h2>{name}</h2><span>{note}</span></header>;

function Pieces({ pieces, currency }: { pieces: Piece[]; currency: string }) {
  const { t } = useTranslation('member');
  const some = pieces.some((p) => p.amount > 0);
  return (
    <>
      <div className={styles.bar} aria-hidden>
        {some && pieces.filter((p) => p.amount > 0).map((p) => <i key={p.key} className={styles[p.key]} style={{ flexGrow: p.amount }} />)}
      </div>
      <dl className={styles.pieces}>
        {pieces.map((p) => (
          <div key={p.key}>
            <dt><i className={styles[p.key]} aria-hidden />{t(`wallet.piece.${p.key}`)}</dt>
            <dd className={styles.figure}><Amount amount={p.amount} currency={currency} /></dd>
            <dd>{p.note}</dd>
          </div>
        ))}
      </dl>
    </>
  );
}

/** What ends within the next weeks, and when the first of it does. */
function useSoon(w: LedgerWalletView): { amount: number; first?: string } {
  const [now] = useState(Date.now);
  return useMemo(() => {
    const until = now + soonDays * 86_400_000;
    const due = (w.expiring ?? []).filter((d) => new Date(d.expires_at).getTime() <= until);
    return { amount: due.reduce((sum, d) => sum + d.amount, 0), first: due[0]?.expires_at };
  }, [w, now]);
}

/** What ends in each of the next twelve months. */
function Expiry({ wallet: w }: { wallet: LedgerWalletView }) {
  const { t } = useTranslation('member');
  const { language, zone, axis, points } = useFormat();
  const months = useMemo(() => byMonth(w, zone), [w, zone]);
  const label = (at: number, long = false) => new Intl.DateTimeFormat(language, { month: long ? 'long' : language === 'en' ? 'short' : 'numeric', year: long ? 'numeric' : undefined, timeZone: 'UTC' }).format(at);
  const option = useCallback(
    (c: Colors) => ({
      xAxis: { data: months.map((m) => label(m.at)), axisLabel: { interval: 2 } },
      yAxis: { splitNumber: 2, axisLabel: { formatter: axis } },
      tooltip: { valueFormatter: (v: number) => points(v, { decimals: w.decimals }) },
      series: [{ type: 'bar', name: t('expiry.series'), data: months.map((m) => m.amount), barMaxWidth: 14, itemStyle: { color: c.c3, borderRadius: [2, 2, 0, 0] } }],
    }),
    // eslint-disable-next-line react-hooks/exhaustive-deps -- label is made of these
    [months, language, axis, points, t, w.decimals],
  );
  const sum = months.reduce((all, m) => all + m.amount, 0);
  return (
    <div className={styles.wallet}>
      {sum === 0 ? (
        <>
          <Head name={t('expiry.title')} note="" />
          <p className="quiet">{t('expiry.none')}</p>
        </>
      ) : (
        <ChartBox
          title={t('expiry.title')}
          height={128}
          option={option}
          label={t('expiry.label', { sum: points(sum, { decimals: w.decimals }) })}
          table={{ head: [t('expiry.month'), t('expiry.series')], rows: months.filter((m) => m.amount > 0).map((m) => [label(m.at, true), points(m.amount, { decimals: w.decimals })]) }}
        />
      )}
    </div>
  );
}

function byMonth(w: LedgerWalletView, zone: string): { at: number; amount: number }[] {
  const clock = new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit' });
  const monthOf = (ms: number) => clock.format(ms).slice(0, 7);
  const [year, month] = monthOf(Date.now()).split('-').map(Number) as [number, number];
  const list = Array.from({ length: 12 }, (_, i) => ({ at: Date.UTC(year, month - 1 + i, 1), amount: 0 }));
  for (const due of w.expiring ?? []) {
    const key = monthOf(new Date(due.expires_at).getTime() - 1); // the end is exclusive
    const one = list.find((m) => new Date(m.at).toISOString().slice(0, 7) === key);
    if (one) one.amount += due.amount;
  }
  return list;
}
