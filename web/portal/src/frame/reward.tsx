import { api, ok } from '@patron/shared/api/client.ts';
import type { RewardOrderView, RewardPriceView, RewardShelfView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon, type IconName } from '@patron/shared/ui/icon.tsx';
import { queryOptions, useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type RefObject } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useMe } from './me.ts';

export const icons: Record<RewardShelfView['kind'], IconName> = { goods: 'gift', coupon: 'coupon', service: 'cup', donation: 'heart', code: 'tag' };

/** What a price says: 100 points, 60–100 points, 100 points + ¥5. */
export function usePrice() {
  const { t } = useTranslation('reward');
  const format = useFormat();
  const wallets = useMe().wallets ?? [];
  const points = (n: number, currency: string) => format.points(n, { decimals: wallets.find((w) => w.currency === currency)?.decimals ?? 0 });
  const both = (n: number, currency: string, money: number, of: string) => (money > 0 ? t('plus', { points: points(n, currency), money: format.money(money, of, { trim: true }) }) : points(n, currency));
  return {
    points,
    both,
    price: (p: RewardPriceView) => (p.least ? t('from', { price: both(p.least, p.currency, moneyFor(p, p.least), p.money_currency) }) : both(p.points, p.currency, p.money, p.money_currency)),
    ordered: (o: RewardOrderView) => both(o.points, o.currency, o.money.amount, o.money.currency),
  };
}

/** What is left to pay in money where so many points are: rounded up, as the shop does. */
export function moneyFor(p: RewardPriceView, points: number): number {
  return p.money + (p.worth ? Math.ceil(((p.points - points) * p.worth) / 1000) : 0);
}

/** A reward as a card: picture, name, price, and how far away it is. */
export function RewardCard({ reward: r }: { reward: RewardShelfView }) {
  const { t } = useTranslation('reward');
  const { named, day } = useFormat();
  const { price, points } = usePrice();
  const picture = r.pictures?.[0];
  const need = r.price ? r.price.least || r.price.points : 0;
  const said = r.state === 'short' ? t('missing', { points: points(r.missing, r.price!.currency) }) : r.state === 'soon' && r.opens_at ? t('soon', { day: day(r.opens_at) }) : r.state === 'open' ? '' : t(`state.${r.state}`);
  return (
    <Link className={r.state === 'sold_out' ? 'rewardcard gone' : 'rewardcard'} to={`/rewards/${r.id}`}>
      {picture ? <img src={picture.thumb_url} alt="" loading="lazy" /> : <span className="face"><Icon name={icons[r.kind]} size={32} /></span>}
      <span className="rewardname">{named(r)}</span>
      {r.price && <span className="cost">{price(r.price)}</span>}
      {r.state === 'short' && need > 0 && <span className="bar offer" role="progressbar" aria-label={named(r)} aria-valuemin={0} aria-valuemax={need} aria-valuenow={Math.min(need, r.balance)}><i style={{ width: `${Math.min(100, (r.balance / need) * 100)}%` }} /></span>}
      {said && <span className="small">{said}</span>}
      {r.wished && <span className="wished"><Icon name="heart" size={16} /><span className="visually-hidden">{t('wished')}</span></span>}
    </Link>
  );
}

const latestQuery = queryOptions({ queryKey: ['rewards', 'home'], staleTime: 60_000, queryFn: () => ok(api.GET('/portal/v1/rewards', { params: { query: { limit: 6, sort: 'points' } } })) });

const settled = 1500; // milliseconds until a page that has just opened is as long as it will be
const ahead = 300; // pixels below the screen

/** Whether a place is on the screen or just below it: what stands there need not weigh on the first load. */
function useNear(): [RefObject<HTMLDivElement | null>, boolean] {
  const place = useRef<HTMLDivElement>(null);
  const [near, setNear] = useState(false);
  useEffect(() => {
    const watch = new IntersectionObserver((seen) => seen.some((s) => s.isIntersecting) && setNear(true), { rootMargin: `0px 0px ${ahead}px 0px` });
    const timer = setTimeout(() => place.current && watch.observe(place.current), settled);
    return () => {
      clearTimeout(timer);
      watch.disconnect();
    };
  }, []);
  return [place, near];
}

/** A few rewards for the home page, those in reach first; nothing where the shop has none. */
export function RewardStrip() {
  const { t } = useTranslation('reward');
  const [end, near] = useNear();
  const items = useQuery({ ...latestQuery, enabled: near }).data?.items ?? [];
  if (items.length === 0) return <div ref={end} />;
  return (
    <>
      <div className="headrow"><h2>{t('title')}</h2><Link to="/rewards">{t('all')}</Link></div>
      <div className="strip">{items.map((r) => <RewardCard key={r.id} reward={r} />)}</div>
    </>
  );
}
