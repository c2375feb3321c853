import { api, ok } from '@patron/shared/api/client.ts';
import type { RewardAddress, RewardOrderBody, RewardShelfView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useId, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useParams } from 'react-router';
import { Button, Choice, Dialog, Failed, Field, fieldError, Page, Refusal, Select, Skeleton } from '../../frame/parts.tsx';
import { icons, moneyFor, usePrice } from '../../frame/reward.tsx';

/** One reward: what it is, what it costs, and having it. */
export default function RewardPage() {
  const { t } = useTranslation('reward');
  const { named } = useFormat();
  const { id = '' } = useParams();
  const one = useQuery({ queryKey: ['rewards', 'one', id], queryFn: () => ok(api.GET('/portal/v1/rewards/{id}', { params: { path: { id } } })) });
  const r = one.data;
  return (
    <Page title={r ? named(r) : t('title')} back="/rewards">
      {r ? <Reward key={r.version} reward={r} />
        : one.error?.status === 404 ? <Blank drawing="result" title={t('gone.title')} text={t('gone.text')} action={<Link className="btn line" to="/rewards">{t('all')}</Link>} />
          : one.isError ? <section className="blk"><Failed error={one.error} retry={() => void one.refetch()} /></section>
            : <Skeleton height={220} rows={2} />}
    </Page>
  );
}

function Reward({ reward: r }: { reward: RewardShelfView }) {
  const { t } = useTranslation('reward');
  const { named, deadline, day } = useFormat();
  const { price, points } = usePrice();
  const [ordering, setOrdering] = useState(false);
  const pictures = r.pictures ?? [];
  const p = r.price;
  const need = p ? p.least || p.points : 0;
  return (
    <>
      {pictures.length > 0
        ? <div className="pictures" tabIndex={pictures.length > 1 ? 0 : undefined} role="group" aria-label={t('pictures')}>{pictures.map((x, i) => <img key={x.id} src={x.url} alt={t('picture', { n: i + 1, name: named(r) })} />)}</div>
        : <div className="pictures"><span className="face"><Icon name={icons[r.kind]} size={64} /></span></div>}
      <section className="blk stack tight">
        <p className="between"><span className="cost big">{p ? price(p) : t('state.no_price')}</span><Wish reward={r} /></p>
        {p?.usual_points && <p className="small"><s>{points(p.usual_points, p.currency)}</s>{p.until && ` ${t('priceUntil', { day: deadline(p.until) })}`}</p>}
        {r.state === 'short' && p && (
          <>
            <div className="bar offer" role="progressbar" aria-label={t('progress')} aria-valuemin={0} aria-valuemax={need} aria-valuenow={r.balance}><i style={{ width: `${Math.min(100, (r.balance / need) * 100)}%` }} /></div>
            <p className="t2">{t('missingOf', { points: points(r.missing, p.currency), have: points(r.balance, p.currency) })}</p>
          </>
        )}
        {named({ name_en: r.text_en, name_zh: r.text_zh }) && <p className="t2 keep">{named({ name_en: r.text_en, name_zh: r.text_zh })}</p>}
        <ul className="gives">
          <li>{t(`how.${r.kind === 'goods' && r.ways?.length === 2 ? 'both' : (r.ways?.[0] ?? r.kind)}`)}</li>
          {!!r.pickup_days && <li>{t(r.lapse === 'keep' ? 'pickupKeep' : 'pickupBack', { count: r.pickup_days })}</li>}
          {r.left !== undefined && <li>{t('left', { count: r.left })}</li>}
          {r.member_left !== undefined && <li>{t('memberLeft', { count: r.member_left })}</li>}
          {r.closes_at && <li>{t('closes', { day: deadline(r.closes_at) })}</li>}
        </ul>
      </section>
      <div className="actionbar">
        {r.state === 'open' ? <Button look="filled" className="wide" onClick={() => setOrdering(true)}>{t('order')}</Button>
          : <Button look="filled" className="wide" disabled>{r.state === 'short' && p ? t('missing', { points: points(r.missing, p.currency) }) : r.state === 'soon' && r.opens_at ? t('soon', { day: day(r.opens_at) }) : t(`state.${r.state as 'limit'}`)}</Button>}
      </div>
      {ordering && p && <Order reward={r} onClose={() => setOrdering(false)} />}
    </>
  );
}

function Wish({ reward: r }: { reward: RewardShelfView }) {
  const { t } = useTranslation('reward');
  const client = useQueryClient();
  const wish = useMutation({
    mutationFn: (wished: boolean) => (wished ? ok(api.PUT('/portal/v1/rewards/{id}/wish', { params: { path: { id: r.id } } })) : ok(api.DELETE('/portal/v1/rewards/{id}/wish', { params: { path: { id: r.id } } }))),
    onSuccess: () => client.invalidateQueries({ queryKey: ['rewards'] }),
  });
  return <button type="button" className={r.wished ? 'iconbtn wishon' : 'iconbtn'} aria-pressed={r.wished} aria-label={t('wish')} disabled={wish.isPending} onClick={() => wish.mutate(!r.wished)}><Icon name="heart" size={24} /></button>;
}

/** The sheet that orders: how many points, how it comes, and what that is in all. */
function Order({ reward: r, onClose }: { reward: RewardShelfView; onClose: () => void }) {
  const { t } = useTranslation('reward');
  const { named, money } = useFormat();
  const price = usePrice();
  const navigate = useNavigate();
  const id = useId();
  const p = r.price!;
  const most = p.least ? Math.max(p.least, Math.min(p.points, p.least + Math.floor((r.balance - p.least) / p.step!) * p.step!)) : p.points;
  const [points, setPoints] = useState(most);
  const [way, setWay] = useState(r.ways?.[0] as 'pickup' | 'ship' | undefined);
  const stores = (r.stores ?? []).filter((s) => s.left !== 0);
  const byStore = (r.stores ?? []).some((s) => s.left !== undefined);
  const [store, setStore] = useState(byStore ? (stores[0]?.id ?? '') : '');
  const [address, setAddress] = useState<RewardAddress>({ name: '', phone: '', line: '' });
  const order = useWrite((body: RewardOrderBody, key) => ok(api.POST('/portal/v1/reward-orders', { body, params: { header: { 'Idempotency-Key': key } } })), {
    invalidates: [['rewards'], ['me'], ['points']],
    onSuccess: (out) => void navigate(`/rewards/orders/${out.order.id}`),
  });
  const extra = moneyFor(p, points);
  const submit = () => order.mutate({
    reward: r.id, version: r.version, ...(p.least && { points }), ...(way && { way }), ...(way === 'pickup' && store && { store }), ...(way === 'ship' && { address }),
  });
  return (
    <Dialog title={named(r)} onClose={onClose}>
      <form className="stack" onSubmit={(e) => { e.preventDefault(); submit(); }}>
        {!!p.least && (
          <div className="slider">
            <label htmlFor={id}>{t('slide')}</label>
            <input id={id} type="range" min={p.least} max={p.points} step={p.step} value={points} aria-valuetext={price.both(points, p.currency, extra, p.money_currency)} onChange={(e) => setPoints(Math.min(most, Number(e.target.value)))} />
            <p className="between"><span className="strong">{price.points(points, p.currency)}</span><span className="strong">{extra > 0 ? money(extra, p.money_currency, { trim: true }) : t('noMoney')}</span></p>
            {most < p.points && <p className="small">{t('slideMost', { points: price.points(most, p.currency) })}</p>}
          </div>
        )}
        {(r.ways?.length ?? 0) > 1 && <Choice label={t('way.label')} value={way!} onChange={(v) => setWay(v as 'pickup')} options={r.ways!.map((w) => ({ value: w, label: t(`way.${w}`) }))} />}
        {way === 'pickup' && stores.length > 0 && <Select label={t('store')} value={store} onChange={setStore} options={[...(byStore ? [] : [{ value: '', label: t('anyStore') }]), ...stores.map((s) => ({ value: s.id, label: s.left === undefined ? named(s) : t('storeLeft', { store: named(s), count: s.left }) }))]} />}
        {way === 'ship' && (
          <>
            <Field label={t('address.name')} autoComplete="name" required maxLength={100} value={address.name} error={fieldError(order.error, 'address.name')} onChange={(e) => setAddress({ ...address, name: e.target.value })} />
            <Field label={t('address.phone')} type="tel" autoComplete="tel" required minLength={3} maxLength={40} value={address.phone} error={fieldError(order.error, 'address.phone')} onChange={(e) => setAddress({ ...address, phone: e.target.value })} />
            <Field label={t('address.line')} autoComplete="street-address" required minLength={3} maxLength={500} value={address.line} error={fieldError(order.error, 'address.line')} onChange={(e) => setAddress({ ...address, line: e.target.value })} />
          </>
        )}
        {extra > 0 && <p className="alert info"><Icon name="info" /><span>{t('payAtShop', { money: money(extra, p.money_currency, { trim: true }) })}</span></p>}
        <Refusal error={order.error} beside={['address.name', 'address.phone', 'address.line']} />
        <Button look="filled" className="wide" type="submit" busy={order.isPending}>{t('orderFor', { price: price.both(points, p.currency, extra, p.money_currency) })}</Button>
      </form>
    </Dialog>
  );
}
