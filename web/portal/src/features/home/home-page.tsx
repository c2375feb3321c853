import { api, ok } from '@patron/shared/api/client.ts';
import type { PortalOwnWallet } from '@patron/shared/api/schema.d.ts';
import { pointsFigure, pointsUnit } from '@patron/shared/format/format.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { tierIcon } from '@patron/shared/standing/tier-mark.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useAmount } from '../../frame/amount.tsx';
import { knowsRows, rowsOf } from '../../frame/blocks.ts';
import { mainWallet, useMe } from '../../frame/me.ts';
import { Failed, Skeleton, useNow } from '../../frame/parts.tsx';
import { useProgram, useProgramName, useTitle } from '../../frame/program.ts';
import { CheckIn, checkInQuery } from '../../frame/check-in.tsx';
import { Deal, offersQuery, open } from '../../frame/deal.tsx';
import { RewardStrip } from '../../frame/reward.tsx';
import { NextTier } from '../../frame/next-tier.tsx';
import { tierQuery } from '../../frame/tier.ts';
import { givenName, partOfDay } from './greeting.ts';
import { QrCode } from './qr-code.tsx';

const soonDays = 45;
const useSoon = () => useNow(3_600_000) + soonDays * 86_400_000;

export function HomePage() {
  const { t } = useTranslation('home');
  const format = useFormat();
  const me = useMe();
  const program = useProgram();
  const name = useProgramName();
  useTitle('');
  const tier = useQuery(tierQuery).data?.find((s) => s.main)?.tier;
  const wallets = me.wallets ?? [];
  const main = mainWallet(wallets, program?.joining.currency);
  return (
    <main className="page">
      <header className="top">
        {program?.brand.logo_url && <img className="logo" src={program.brand.logo_url} alt="" />}
        <h1>{name}</h1>
      </header>
      {me.asOf && <p className="alert info kept" role="status"><Icon name="clock" /><span>{t('asOf', { when: format.when(me.asOf) })}</span></p>}
      <section className="card" aria-label={t('card')}>
        <div className="upper">
          <div className="who">
            <p className="hello">{me.name ? t(`hello.${partOfDay(new Date().getHours())}`, { name: givenName(me.name) }) : t('helloAll')}</p>
            <p className="t2 since">{tier ? format.named(tier) : t('since', { day: format.day(me.joined_at) })}</p>
            {main && <Balance wallet={main} />}
          </div>
          <QrCode number={me.number} />
        </div>
        <div className="lower">
          <span className="t2"><Coming wallet={main} number={me.number} /></span>
          <span className="t2">{t('tap')}</span>
        </div>
      </section>
      <Blocks />
    </main>
  );
}

/** What stands below the card. On the very first visit nobody knows how much that is: all of it comes at once, so that nothing jumps. */
function Blocks() {
  const { t } = useTranslation('home');
  const format = useFormat();
  const me = useMe();
  const program = useProgram();
  const [known] = useState(knowsRows);
  const loading = [useQuery(tierQuery).isLoading, useInfiniteQuery(offersQuery).isLoading, useQuery(checkInQuery).isLoading].some(Boolean);
  const wallets = me.wallets ?? [];
  const main = mainWallet(wallets, program?.joining.currency);
  const others = wallets.filter((w) => w !== main && (w.kind === 'growth' || w.available || w.pending || w.held || w.debt));
  if (loading && !known) return <Skeleton height={112} rows={3} />;
  return (
    <>
      <Tier />
      {main && <Expiring wallet={main} />}
      <CheckIn />
      <Running />
      {main && (main.held > 0 || main.debt > 0) && (
        <section className="blk stack tight">
          {main.held > 0 && <p>{t('held', { amount: format.points(main.held, { decimals: main.decimals }) })}</p>}
          {main.debt > 0 && <p>{t('debt', { amount: format.points(main.debt, { decimals: main.decimals }) })}</p>}
        </section>
      )}
      {others.length > 0 && <section className="blk list">{others.map((w) => <Other key={w.currency} wallet={w} />)}</section>}
      {main?.transfer && (
        <section className="blk list">
          <Link className="row link" to="/points/give"><Icon name="gift" /><span>{t('give')}</span><span /><Icon name="right" size={16} /></Link>
        </section>
      )}
      <Latest />
      <RewardStrip />
    </>
  );
}

/** The way to the next tier, and from there to what each gives. */
function Tier() {
  const { t } = useTranslation('home');
  const { named } = useFormat();
  const own = useQuery(tierQuery);
  const main = own.data?.[0];
  if (own.isPending && rowsOf('tier')) return <Skeleton height={rowsOf('tier')} />;
  if (main?.tier && !main.next) return <section className="blk list"><Link className="row link" to="/tier"><Icon name={tierIcon(main.tier.icon)} /><span>{named(main.tier)}</span><span className="small">{t('benefits')}</span><Icon name="right" size={16} /></Link></section>;
  if (!main?.next) return null;
  return <Link className="blk" to="/tier"><NextTier progress={main.next} /></Link>;
}

/** Offers that run: the first two. */
function Running() {
  const { t } = useTranslation('home');
  const list = useInfiniteQuery(offersQuery);
  const kept = rowsOf('offers');
  const items = (list.data?.pages[0]?.items ?? []).filter(open).slice(0, 2);
  if (list.isPending && kept) return <><div className="headrow"><h2>{t('running')}</h2></div><Skeleton height={108} rows={kept} /></>;
  if (items.length === 0) return null;
  return (
    <>
      <div className="headrow"><h2>{t('running')}</h2><Link to="/offers">{t('all')}</Link></div>
      <section className="blk list">{items.map((o) => <Deal key={o.id ?? o.offer_id} offer={o} />)}</section>
    </>
  );
}

function Balance({ wallet }: { wallet: PortalOwnWallet }) {
  const { t } = useTranslation('home');
  const { language, named } = useFormat();
  const figure = pointsFigure(wallet.available, wallet.decimals);
  return (
    <>
      <p className="t2">{t('usable', { currency: named(wallet) })}</p>
      <p className={figure.length > 6 ? 'balance long' : 'balance'}>{figure} <span className="unit">{pointsUnit(wallet.available, language, wallet.decimals)}</span></p>
    </>
  );
}

/** What arrives next; where nothing does, the number of the card. */
function Coming({ wallet, number }: { wallet: PortalOwnWallet | undefined; number: string }) {
  const { t } = useTranslation('home');
  const format = useFormat();
  const next = wallet?.activating?.[0];
  if (!wallet || !next) return <>{t('number', { number })}</>;
  const said = t('arrives', { amount: format.points(next.amount, { decimals: wallet.decimals }), day: format.day(next.usable_at) });
  const rest = wallet.pending - next.amount;
  return <>{rest > 0 ? t('arrivesMore', { said, amount: format.points(wallet.pending, { decimals: wallet.decimals }) }) : said}</>;
}

function Expiring({ wallet }: { wallet: PortalOwnWallet }) {
  const { t } = useTranslation('home');
  const format = useFormat();
  const soon = useSoon();
  const next = wallet.expiring?.[0];
  if (!next || Date.parse(next.expires_at) > soon) return null;
  return (
    <Link className="blk soon" to="/points">
      <Icon name="clock" />
      <span>{t('expires', { amount: format.points(next.amount, { decimals: wallet.decimals }), day: format.deadline(next.expires_at) })}</span>
      <Icon name="right" size={16} />
    </Link>
  );
}

function Other({ wallet }: { wallet: PortalOwnWallet }) {
  const { t } = useTranslation('home');
  const { named } = useFormat();
  const amount = useAmount();
  const next = wallet.expiring?.[0];
  const { deadline } = useFormat();
  const soon = useSoon();
  return (
    <Link className="row" to={`/points?currency=${encodeURIComponent(wallet.currency)}`}>
      <span>{named(wallet)}</span>
      <span className="num strong">{amount(wallet.available, wallet)}</span>
      {wallet.kind === 'stored' && <span className="small wide">{t('stored', { principal: amount(wallet.principal ?? 0, wallet), bonus: amount(wallet.bonus ?? 0, wallet) })}</span>}
      {wallet.kind === 'growth' && <span className="small wide">{t('growth')}</span>}
      {wallet.pending > 0 && <span className="small wide">{t('pending', { amount: amount(wallet.pending, wallet) })}</span>}
      {wallet.held > 0 && <span className="small wide">{t('held', { amount: amount(wallet.held, wallet) })}</span>}
      {wallet.kind !== 'growth' && next && Date.parse(next.expires_at) <= soon && <span className="small wide">{t('expires', { amount: amount(next.amount, wallet), day: deadline(next.expires_at) })}</span>}
    </Link>
  );
}

/** The three latest purchases. */
function Latest() {
  const { t } = useTranslation('home');
  const format = useFormat();
  const latest = useQuery({ queryKey: ['purchases', 'latest'], queryFn: () => ok(api.GET('/portal/v1/purchases', { params: { query: { limit: 3 } } })) });
  const items = latest.data?.items ?? [];
  return (
    <>
      <div className="headrow"><h2>{t('latest')}</h2>{items.length > 0 && <Link to="/purchases">{t('all')}</Link>}</div>
      {latest.isPending ? <Skeleton height={72} rows={3} /> : latest.isError ? <section className="blk"><Failed error={latest.error} retry={() => void latest.refetch()} /></section> : (
        <section className="blk list">
          {items.length === 0 && <p className="row t2">{t('none')}</p>}
          {items.map((p) => (
            <Link key={p.id} className="row" to={`/purchases/${p.id}`}>
              <span>{p.kind === 'return' ? t('return') : (p.store ?? t('sale'))}</span>
              <span className="num">{format.money(p.kind === 'return' ? -p.total : p.total, p.currency)}</span>
              <span className="small">{format.when(p.at)}</span>
            </Link>
          ))}
        </section>
      )}
    </>
  );
}
