import { api, ok } from '@patron/shared/api/client.ts';
import type { PlanMembershipView, PlanPaymentView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { decimalsOf, symbolOf } from '@patron/shared/format/format.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { noon } from '@patron/shared/standing/date.ts';
import { Money } from '@patron/shared/ui/money.tsx';
import { StatusTag, type Tone } from '@patron/shared/ui/status-tag.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, Form, Input, InputNumber, Select, Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { programQuery, useCan } from '../../frame/me.ts';
import { Amount } from '../../ui/amount.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { ReasonDialog } from '../../ui/reason-dialog.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { WideTable } from '../../ui/wide-table.tsx';
import { keyOf, type Member } from './api.ts';
import { More, useMore } from './more.tsx';
import part from './part.module.css';
import { plansQuery } from './plans.ts';
import { Stamp } from './stamp.tsx';
import styles from './standing.module.css';

const tones: Record<PlanMembershipView['standing'], Tone> = { '': 'plain', trial: 'info', active: 'success', cancelled_at_end: 'warning', grace: 'warning', ended: 'plain' };

const methods = ['cash', 'wechat', 'alipay', 'card', 'other'] as const;

type Act = 'pay' | 'cancel' | 'refund';

/** Paid membership of one member: how it stands, what was paid, and what colleagues may do about it. */
export function PlanPart({ member }: { member: Member }) {
  const { t } = useTranslation('member');
  const { named, day, money } = useFormat();
  const can = useCan();
  const [act, setAct] = useState<Act>();
  const one = useQuery({ queryKey: [...keyOf(member.id), 'plan'], queryFn: () => ok(api.GET('/v1/members/{ref}/plan', { params: { path: { ref: member.id } } })) });
  const resume = useWrite((_: null, key) => ok(api.POST('/v1/members/{ref}/plan/resume', { params: { path: { ref: member.id }, header: { 'Idempotency-Key': key } } })), { invalidates: [['member']] });
  if (one.error) return <ErrorState error={one.error} retry={() => void one.refetch()} />;
  if (!one.data) return <Skeleton active paragraph={{ rows: 4 }} />;
  const m = one.data;
  const may = can('members.write') && !member.erased_at && !member.merged_into;
  const runs = m.standing !== '' && m.standing !== 'ended';
  const facts: string[] = [];
  if (m.started_on) facts.push(t('plan.since', { day: day(noon(m.started_on)) }));
  if (m.last_day) facts.push(t(runs ? 'plan.until' : 'plan.ended', { day: day(noon(m.last_day)) }));
  if (m.renews_on && m.price) facts.push(t('plan.renews', { day: day(noon(m.renews_on)), price: money(m.price.amount, m.price.currency) }));
  if (m.standing === 'grace' && m.grace_last_day) facts.push(t('plan.grace', { day: day(noon(m.grace_last_day)) }));
  return (
    <>
      <section className={styles.standing}>
        <header className={styles.head}>
          <div className={styles.title}>
            <h2>{m.standing ? named(m) : t('plan.none')}</h2>
            <p className="quiet">{facts.join(t('comma'))}</p>
          </div>
          {m.standing && <StatusTag tone={tones[m.standing]}>{t(`plan.standing.${m.standing}`)}</StatusTag>}
          {may && (
            <span className={styles.acts}>
              <Button size="small" onClick={() => setAct('pay')}>{t('plan.pay.open')}</Button>
              {m.standing === 'cancelled_at_end' && <Button size="small" loading={resume.isPending} onClick={() => resume.mutate(null)}>{t('plan.resume')}</Button>}
              {runs && m.standing !== 'cancelled_at_end' && <Button size="small" onClick={() => setAct('cancel')}>{t('plan.cancel.open')}</Button>}
              {runs && m.periods_paid > 0 && can('points.adjust') && <Button size="small" danger onClick={() => setAct('refund')}>{t('plan.refund.open')}</Button>}
            </span>
          )}
        </header>
        <ProblemAlert error={resume.error} />
      </section>
      <Payments member={member} />
      <Pay open={act === 'pay'} member={member} now={m} onClose={() => setAct(undefined)} />
      <Cancel open={act === 'cancel'} member={member} now={m} onClose={() => setAct(undefined)} />
      <Refund open={act === 'refund'} member={member} onClose={() => setAct(undefined)} />
    </>
  );
}

function Payments({ member }: { member: Member }) {
  const { t } = useTranslation('member');
  const { day } = useFormat();
  const list = useMore([...keyOf(member.id), 'plan', 'payments'], (cursor) => ok(api.GET('/v1/members/{ref}/plan/payments', { params: { path: { ref: member.id }, query: { cursor, limit: 20 } } })));
  return (
    <section>
      <div className={part.head}><h2>{t('plan.payments')}</h2></div>
      <More list={list} empty={t('plan.noPayments')}>
        {(rows) => (
          <WideTable<PlanPaymentView>
            className={part.table}
            rowKey={(p) => p.id}
            dataSource={rows}
            columns={[
              { key: 'at', title: t('ledger.at'), width: 92, render: (_, p) => <Stamp at={p.paid_at} /> },
              { key: 'period', title: t('plan.period'), render: (_, p) => <>{t('plan.days', { from: day(noon(p.first_day)), to: day(noon(p.last_day)) })}{(p.gifts ?? []).map((g) => <div key={g.currency} className="quiet">{t('plan.gift')} <Amount amount={g.amount} currency={g.currency} /></div>)}</> },
              { key: 'how', title: t('plan.method'), className: part.why, render: (_, p) => <>{(methods as readonly string[]).includes(p.method) ? t(`plan.methods.${p.method as 'cash'}`) : p.method}{p.reference && `${t('comma')}${p.reference}`}{p.reason && <div className="quiet">{p.reason}</div>}{p.refund_reason && <div className="quiet">{p.refund_reason}</div>}</> },
              { key: 'amount', title: t('plan.amount'), align: 'right', width: 120, className: part.num, render: (_, p) => <><b><Money amount={p.amount} currency={p.currency} /></b>{p.refunded > 0 && <div className="quiet">{t('plan.refunded')} <Money amount={p.refunded} currency={p.currency} /></div>}</> },
            ]}
          />
        )}
      </More>
    </section>
  );
}

interface ActProps {
  open: boolean;
  member: Member;
  onClose: () => void;
}

interface PayValues {
  plan: string;
  amount: number;
  method: string;
  reference?: string;
  reason?: string;
}

/** Records a payment that was taken: for a first period, or for the next. */
function Pay({ open, member, now, onClose }: ActProps & { now: PlanMembershipView }) {
  const { t } = useTranslation('member');
  const { named, language } = useFormat();
  const money = useQuery(programQuery).data?.currency ?? 'CNY';
  const plans = useQuery(plansQuery).data?.items ?? [];
  const offered = plans.filter((p) => p.on_sale || p.code === now.plan);
  const unit = 10 ** decimalsOf(money);
  const runs = now.standing !== '' && now.standing !== 'ended';
  const first = offered.find((p) => p.code === now.plan) ?? offered[0];
  const write = useWrite((v: PayValues, key) => ok(api.POST('/v1/members/{ref}/plan/payments', {
    body: { plan: v.plan, amount: Math.round(v.amount * unit), currency: money, method: v.method, ...(v.reference && { reference: v.reference }), ...(v.reason && { reason: v.reason }) },
    params: { path: { ref: member.id }, header: { 'Idempotency-Key': key } },
  })), { invalidates: [['member'], ['plans']], onSuccess: onClose });
  return (
    <FormDrawer<PayValues>
      key={`${first?.code ?? ''} ${now.number ?? 0} ${now.periods_paid}`}
      open={open}
      title={t('plan.pay.title', { name: member.name || member.number })}
      act={t('plan.pay.act')}
      first="amount"
      initial={{ plan: first?.code ?? '', amount: (first?.terms.price.amount ?? 0) / unit, method: 'wechat' }}
      write={write}
      onSave={(v) => write.mutate(v)}
      onClose={onClose}
    >
      {(form) => (
        <>
          <Form.Item name="plan" label={t('plan.pay.plan')}><Select disabled={runs} options={offered.map((p) => ({ value: p.code, label: named(p.terms) }))} onChange={(code: string) => form.setFieldValue('amount', (plans.find((p) => p.code === code)?.terms.price.amount ?? 0) / unit)} /></Form.Item>
          <Form.Item name="amount" label={t('plan.amount')} rules={[{ required: true, message: t('plan.pay.needed') }]}><InputNumber min={0} precision={decimalsOf(money)} prefix={symbolOf(money, language)} style={{ width: '100%' }} /></Form.Item>
          <Form.Item name="method" label={t('plan.method')}><Select options={methods.map((value) => ({ value, label: t(`plan.methods.${value}`) }))} /></Form.Item>
          <Form.Item name="reference" label={t('plan.pay.reference')} extra={t('plan.pay.referenceHelp')}><Input maxLength={128} /></Form.Item>
          <Form.Item name="reason" label={t('plan.pay.reason')}><Input maxLength={500} /></Form.Item>
        </>
      )}
    </FormDrawer>
  );
}

/** Cancels at the end of what is paid. */
function Cancel({ open, member, now, onClose }: ActProps & { now: PlanMembershipView }) {
  const { t } = useTranslation('member');
  const { day } = useFormat();
  const write = useWrite((_: null, key) => ok(api.POST('/v1/members/{ref}/plan/cancel', { body: { when: 'end' }, params: { path: { ref: member.id }, header: { 'Idempotency-Key': key } } })), { invalidates: [['member'], ['plans']], onSuccess: onClose });
  return (
    <ConfirmDialog open={open} danger title={t('plan.cancel.title', { name: member.name || member.number })} act={t('plan.cancel.act')} cancel={t('plan.cancel.not')} pending={write.isPending} error={write.error} onOk={() => write.mutate(null)}
      onCancel={() => {
        write.reset();
        onClose();
      }}
    >
      <p>{t('plan.cancel.what', { day: now.last_day ? day(noon(now.last_day)) : '' })}</p>
    </ConfirmDialog>
  );
}

/** Ends it at once and gives back what the days that were not used are worth: reckoned before it is done. */
function Refund({ open, member, onClose }: ActProps) {
  const { t } = useTranslation('member');
  const { count } = useFormat();
  const preview = useQuery({
    queryKey: [...keyOf(member.id), 'plan', 'refund'],
    enabled: open,
    staleTime: 0,
    queryFn: () => ok(api.POST('/v1/members/{ref}/plan/refund', { body: { reason: 'preview' }, params: { path: { ref: member.id }, query: { dry_run: true }, header: { 'Idempotency-Key': crypto.randomUUID() } } })),
  });
  const write = useWrite((reason: string, key) => ok(api.POST('/v1/members/{ref}/plan/refund', { body: { reason }, params: { path: { ref: member.id }, header: { 'Idempotency-Key': key } } })), { invalidates: [['member'], ['plans']], onSuccess: onClose });
  const r = preview.data?.refund;
  return (
    <ReasonDialog
      open={open}
      danger
      title={t('plan.refund.title', { name: member.name || member.number })}
      act={t('plan.refund.act')}
      cancel={t('plan.refund.not')}
      pending={write.isPending}
      error={write.error ?? preview.error}
      onSubmit={(reason) => write.mutate(reason)}
      onCancel={() => {
        write.reset();
        onClose();
      }}
    >
      {r && (
        <dl className={part.facts} style={{ marginBottom: 12 }}>
          <div><dt>{t('plan.refund.amount')}</dt><dd><b><Money amount={r.amount} currency={r.currency} /></b> <span className="quiet">{t('plan.refund.unused', { count: r.unused_days, n: count(r.unused_days) })}</span></dd></div>
          {(r.gifts_taken_back ?? []).map((g) => <div key={g.currency}><dt>{t('plan.refund.gift')}</dt><dd><Amount amount={g.amount} currency={g.currency} /></dd></div>)}
        </dl>
      )}
    </ReasonDialog>
  );
}
