import { api, ok } from '@patron/shared/api/client.ts';
import type { RewardOwnOrder } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { Button, Dialog, Failed, Page, Refusal, Skeleton } from '../../frame/parts.tsx';
import { usePrice } from '../../frame/reward.tsx';
import { useOrderWords } from './words.ts';

/** One order: how it stands, the code to pick it up with, and what happened. */
export default function OrderPage() {
  const { t } = useTranslation('reward');
  const { id = '' } = useParams();
  const one = useQuery({
    queryKey: ['rewards', 'order', id],
    queryFn: () => ok(api.GET('/portal/v1/reward-orders/{id}', { params: { path: { id } } })),
    refetchInterval: (q) => (q.state.data?.pickup_code ? 10_000 : false), // it is handed over while one looks
  });
  return (
    <Page title={t('orders.one')} back="/rewards/orders">
      {one.data ? <Order order={one.data} />
        : one.error?.status === 404 ? <Blank drawing="result" title={t('orders.gone')} text={t('orders.goneText')} action={<Link className="btn line" to="/rewards/orders">{t('orders.title')}</Link>} />
          : one.isError ? <section className="blk"><Failed error={one.error} retry={() => void one.refetch()} /></section>
            : <Skeleton height={120} rows={3} />}
    </Page>
  );
}

function Order({ order: o }: { order: RewardOwnOrder }) {
  const { t } = useTranslation('reward');
  const format = useFormat();
  const { named, when, deadline, money } = format;
  const { ordered } = usePrice();
  const words = useOrderWords();
  const [asking, setAsking] = useState(false);
  const cancel = useWrite((_: null, key) => ok(api.POST('/portal/v1/reward-orders/{id}/cancel', { params: { path: { id: o.id }, header: { 'Idempotency-Key': key } } })), { invalidates: [['rewards'], ['me'], ['points']], onSuccess: () => setAsking(false) });
  const waits = o.state === 'held' || (o.state === 'paid' && o.money.amount === 0);
  return (
    <>
      <section className="blk stack tight">
        <p className="between"><span className="say">{named(o)}</span><span className={`mark ${words.tone(o)}`}>{words.state(o)}</span></p>
        <p className="t2">{ordered(o)}</p>
        {o.state === 'held' && <p className="alert info"><Icon name="clock" /><span>{t('orders.pay', { money: money(o.money.amount, o.money.currency, { trim: true }), day: o.expires_at ? deadline(o.expires_at) : '' })}</span></p>}
      </section>
      {o.pickup_code && (
        <section className="blk pickup" aria-label={t('orders.code')}>
          {o.pickup_qr && <img src={`data:image/svg+xml,${encodeURIComponent(o.pickup_qr)}`} alt={t('orders.qr')} />}
          <p className="code-shown">{o.pickup_code}</p>
          <p className="small">{[o.store_id ? t('orders.at', { store: format.named({ name_en: o.store_name_en, name_zh: o.store_name_zh }) }) : t('orders.anywhere'), o.state !== 'held' && o.expires_at && t('orders.until', { day: deadline(o.expires_at) })].filter(Boolean).join(t('comma'))}</p>
        </section>
      )}
      {o.gift_code && (
        <section className="blk stack tight" aria-label={t('orders.gift')}>
          <p className="t2">{t('orders.gift')}</p>
          <p className="giftcode">{o.gift_code}</p>
          <Button onClick={() => void navigator.clipboard?.writeText(o.gift_code!)}><Icon name="copy" />{t('orders.copy')}</Button>
        </section>
      )}
      {(o.address || o.carrier) && (
        <section className="blk">
          <dl className="terms">
            {o.carrier && <><dt>{t('orders.carrier')}</dt><dd>{[o.carrier, o.tracking].filter(Boolean).join(' ')}</dd></>}
            {o.address && <><dt>{t('orders.to')}</dt><dd>{o.address.name} {o.address.phone}<br />{o.address.line}</dd></>}
          </dl>
        </section>
      )}
      <h2 className="head">{t('orders.history')}</h2>
      <section className="blk list">{(o.history ?? []).map((h, i) => <p key={i} className="row"><span>{t(`steps.${h.step}`)}</span><span className="small num">{when(h.at)}</span></p>)}</section>
      {waits && <div className="more"><Button look="text" onClick={() => setAsking(true)}>{t('orders.cancel')}</Button></div>}
      {asking && (
        <Dialog title={t('orders.cancelTitle')} onClose={() => setAsking(false)}>
          <div className="stack">
            <p className="t2">{t('orders.cancelText')}</p>
            <Refusal error={cancel.error} />
            <Button look="danger-filled" className="wide" busy={cancel.isPending} onClick={() => cancel.mutate(null)}>{t('orders.cancel')}</Button>
            <Button className="wide" onClick={() => setAsking(false)}>{t('orders.keep')}</Button>
          </div>
        </Dialog>
      )}
    </>
  );
}
