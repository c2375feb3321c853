import { api, ok } from '@patron/shared/api/client.ts';
import type { PlanBenefits, PlanGift, PlanMembershipView, PortalOfferView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { noon } from '@patron/shared/standing/date.ts';
import { useStandingWords } from '@patron/shared/standing/words.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useAmount } from '../../frame/amount.tsx';
import { useMe } from '../../frame/me.ts';
import { Button, Dialog, Failed, More, Page, Refusal, Skeleton } from '../../frame/parts.tsx';

/** Paid membership: one's own, what is on offer, and what one paid. */
export default function PlanPage() {
  const { t } = useTranslation('plan');
  const { day } = useFormat();
  const own = useQuery({ queryKey: ['plan'], queryFn: () => ok(api.GET('/portal/v1/plan')) });
  const plans = useQuery({ queryKey: ['plan', 'offers'], queryFn: () => ok(api.GET('/portal/v1/plans')) });
  const failed = own.error ?? plans.error;
  const m = own.data;
  const runs = m !== undefined && m.standing !== '' && m.standing !== 'ended';
  const items = plans.data?.items ?? [];
  return (
    <Page title={t('title')} back="/me">
      {failed ? <section className="blk"><Failed error={failed} retry={() => void Promise.all([own.refetch(), plans.refetch()])} /></section>
        : !m || !plans.data ? <Skeleton height={96} rows={3} />
          : (
            <>
              {runs && <Own membership={m} online={items.find((p) => p.code === m.plan)?.pay_online ?? false} />}
              {m.standing === 'ended' && m.last_day && <p className="lead">{t('ended', { day: day(noon(m.last_day)) })}</p>}
              {!runs && items.length === 0 && <Blank drawing="coupon" title={t('none')} text={t('noneText')} />}
              {!runs && items.map((p) => <Offer key={p.code} plan={p} fresh={m.standing === ''} />)}
              <Payments />
            </>
          )}
    </Page>
  );
}

function useGives() {
  const { t, i18n } = useTranslation('plan');
  const words = useStandingWords({ money: undefined });
  const amount = useAmount();
  const wallets = useMe().wallets ?? [];
  return {
    gives: (b: PlanBenefits | undefined) => (b ? [...words.gives({ earn_multiplier: b.multiplier, ...(b.discount_percent && { discount_percent: b.discount_percent }), ...(b.free_delivery && { free_delivery: true }) }), ...(b.others ?? []).map((o) => (i18n.language === 'zh-CN' ? o.zh : o.en))] : []),
    gifts: (list: PlanGift[] | null) => (list ?? []).map((g) => {
      const wallet = wallets.find((w) => w.currency === g.currency);
      return wallet ? amount(g.amount, wallet) : `${g.amount} ${g.currency}`;
    }).join(t('comma')),
  };
}

function Own({ membership: m, online }: { membership: PlanMembershipView; online: boolean }) {
  const { t } = useTranslation('plan');
  const { named, day, money } = useFormat();
  const { gives } = useGives();
  const [asking, setAsking] = useState(false);
  const cancel = useWrite((_: null, key) => ok(api.POST('/portal/v1/plan/cancel', { params: { header: { 'Idempotency-Key': key } } })), { invalidates: [['plan']], onSuccess: () => setAsking(false) });
  const resume = useWrite((_: null, key) => ok(api.POST('/portal/v1/plan/resume', { params: { header: { 'Idempotency-Key': key } } })), { invalidates: [['plan']] });
  const pay = usePay();
  const last = m.last_day ? day(noon(m.last_day)) : '';
  return (
    <>
      <section className="tiercard" aria-label={t('card')}>
        <p className="tiername">{named(m)}</p>
        <p>{t(`standing.${m.standing as 'active'}`, { day: last })}</p>
        {m.renews_on && m.price && <p className="tiernote">{t('renews', { day: day(noon(m.renews_on)), price: money(m.price.amount, m.price.currency, { trim: true }) })}</p>}
      </section>
      {m.standing === 'grace' && m.grace_last_day && <section className="blk soon"><span>{t('grace', { day: day(noon(m.grace_last_day)) })}</span></section>}
      <section className="blk stack">
        <ul className="gives" style={{ marginTop: 0 }}>{gives(m.benefits).map((g, i) => <li key={i}>{g}</li>)}</ul>
        {m.price && (online ? <Button look={m.standing === 'grace' || m.standing === 'trial' ? 'filled' : 'line'} busy={pay.isPending} onClick={() => pay.mutate(undefined)}>{t('renew', { price: money(m.price.amount, m.price.currency, { trim: true }) })}</Button> : <p className="small">{t('atShop')}</p>)}
        <Refusal error={pay.error ?? resume.error} />
        {m.standing === 'cancelled_at_end' ? <Button busy={resume.isPending} onClick={() => resume.mutate(null)}>{t('resume')}</Button> : <Button look="text" onClick={() => setAsking(true)}>{t('cancel.open')}</Button>}
      </section>
      {asking && (
        <Dialog title={t('cancel.title')} onClose={() => setAsking(false)}>
          <div className="stack">
            <p className="t2">{t('cancel.text', { day: last })}</p>
            <Refusal error={cancel.error} />
            <Button look="danger-filled" className="wide" busy={cancel.isPending} onClick={() => cancel.mutate(null)}>{t('cancel.act')}</Button>
            <Button className="wide" onClick={() => setAsking(false)}>{t('cancel.not')}</Button>
          </div>
        </Dialog>
      )}
    </>
  );
}

/** Asks where to pay and goes there. */
function usePay() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (plan: string | undefined) => ok(api.POST('/portal/v1/plan/checkout', { body: plan ? { plan } : {} })),
    onSuccess: (charge) => (charge.pay_url ? location.assign(charge.pay_url) : client.invalidateQueries({ queryKey: ['plan'] })),
  });
}

function Offer({ plan: p, fresh }: { plan: PortalOfferView; fresh: boolean }) {
  const { t } = useTranslation('plan');
  const { money } = useFormat();
  const { gives, gifts } = useGives();
  const pay = usePay();
  const trial = useWrite((plan: string, key) => ok(api.POST('/portal/v1/plan/trial', { body: { plan }, params: { header: { 'Idempotency-Key': key } } })), { invalidates: [['plan'], ['me']] });
  const price = money(p.price.amount, p.price.currency, { trim: true });
  const start = gifts(p.start_gifts);
  const renewal = gifts(p.renewal_gifts);
  return (
    <section className="blk stack">
      <div>
        <p className="between"><span className="say">{p.name}</span><span className="strong nowrap">{t(`price.${p.every}`, { price })}</span></p>
        {p.about && <p className="t2">{p.about}</p>}
      </div>
      <ul className="gives" style={{ marginTop: 0 }}>
        {gives(p.benefits).map((g, i) => <li key={i}>{g}</li>)}
        {start && <li>{t('startGift', { gift: start })}</li>}
        {renewal && <li>{t('renewalGift', { gift: renewal })}</li>}
      </ul>
      <Refusal error={pay.error ?? trial.error} />
      {fresh && p.trial_days > 0 && <Button look="filled" className="wide" busy={trial.isPending} onClick={() => trial.mutate(p.code)}>{t('trial', { count: p.trial_days })}</Button>}
      {p.pay_online ? <Button look={fresh && p.trial_days > 0 ? 'line' : 'filled'} className="wide" busy={pay.isPending} onClick={() => pay.mutate(p.code)}>{t('join', { price })}</Button> : <p className="small">{t('joinShop')}</p>}
    </section>
  );
}

function Payments() {
  const { t } = useTranslation('plan');
  const { money, day, when } = useFormat();
  const list = useInfiniteQuery({
    queryKey: ['plan', 'payments'],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => ok(api.GET('/portal/v1/plan/payments', { params: { query: { cursor: pageParam, limit: 12 } } })),
    getNextPageParam: (page) => page.next_cursor,
  });
  const items = list.data?.pages.flatMap((p) => p.items ?? []) ?? [];
  if (items.length === 0) return null;
  return (
    <>
      <h2 className="head">{t('payments')}</h2>
      <section className="blk list">
        {items.map((p) => (
          <div key={p.id} className="row">
            <span>{t('period', { from: day(noon(p.first_day)), to: day(noon(p.last_day)) })}</span>
            <span className="num strong">{money(p.amount, p.currency)}</span>
            <span className="small">{when(p.paid_at)}</span>
            {p.refunded > 0 && <span className="small num">{t('refunded', { amount: money(p.refunded, p.currency) })}</span>}
          </div>
        ))}
      </section>
      <More query={list} />
    </>
  );
}
