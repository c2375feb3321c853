import { api, ok } from '@patron/shared/api/client.ts';
import type { RewardOrderView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { App, Button, Checkbox, Form, Input, Modal, Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { ReasonDialog } from '../../ui/reason-dialog.tsx';
import { Section, WithAside } from '../../ui/section.tsx';
import { ErrorState, NotFoundState } from '../../ui/states.tsx';
import styles from './reward.module.css';
import { orderTones, useRewardWords } from './words.ts';

/** One order: how it stands, what is to be done with it, and what happened. */
export default function OrderPage() {
  const { t } = useTranslation('reward');
  const { id = '' } = useParams();
  const one = useQuery({ queryKey: ['rewards', 'order', id], queryFn: () => ok(api.GET('/v1/reward-orders/{id}', { params: { path: { id } } })) });
  if (one.data) return <Order order={one.data} />;
  return (
    <Page title={t('orders.one')} crumbs={[{ to: '/rewards/orders', title: t('orders.title') }]}>
      <Section>{one.error?.status === 404 ? <NotFoundState /> : one.error ? <ErrorState error={one.error} retry={() => void one.refetch()} /> : <Skeleton active paragraph={{ rows: 6 }} />}</Section>
    </Page>
  );
}

function Order({ order: o }: { order: RewardOrderView }) {
  const { t } = useTranslation('reward');
  const { named, money } = useFormat();
  const words = useRewardWords();
  const { message } = App.useApp();
  const may = useCan()('points.write');
  const [asking, setAsking] = useState<'cancel' | 'return' | 'ship'>();
  const [restock, setRestock] = useState(true);
  const [ship] = Form.useForm<{ carrier: string; tracking?: string }>();
  const path = { id: o.id };
  const done = {
    invalidates: [['rewards'], ['member']],
    onSuccess: (out: { money_to_refund?: { amount: number; currency: string } }) => {
      setAsking(undefined);
      if (out.money_to_refund) void message.info(t('orders.refund', { money: money(out.money_to_refund.amount, out.money_to_refund.currency) }), 8);
    },
  };
  const step = useWrite((to: 'ready' | 'deliver', key) => ok(to === 'ready' ? api.POST('/v1/reward-orders/{id}/ready', { params: { path, header: { 'Idempotency-Key': key } } }) : api.POST('/v1/reward-orders/{id}/deliver', { params: { path, header: { 'Idempotency-Key': key } } })), done);
  const send = useWrite((body: { carrier: string; tracking?: string }, key) => ok(api.POST('/v1/reward-orders/{id}/ship', { body, params: { path, header: { 'Idempotency-Key': key } } })), done);
  const cancel = useWrite((reason: string, key) => ok(api.POST('/v1/reward-orders/{id}/cancel', { body: { reason }, params: { path, header: { 'Idempotency-Key': key } } })), done);
  const back = useWrite((reason: string, key) => ok(api.POST('/v1/reward-orders/{id}/return', { body: { reason, restock }, params: { path, header: { 'Idempotency-Key': key } } })), done);
  const shipped = o.way === 'ship';
  const digital = !o.way;
  const facts: [string, React.ReactNode][] = [
    [t('orders.price'), words.ordered(o)],
    ...(o.paid_by ? [[t('orders.paidBy'), [o.paid_by, o.payment_reference].filter(Boolean).join(' ')] as [string, string]] : []),
    [t('field.ways'), shipped ? t('way.ship') : digital ? t('orders.atOnce') : o.store_id ? named({ name_en: o.store_name_en, name_zh: o.store_name_zh }) : t('orders.anyStore')],
    ...(o.expires_at ? [[t('orders.until'), <When key="u" at={o.expires_at} as="deadline" />] as [string, React.ReactNode]] : []),
    ...(o.gift_code || o.gift_code_end ? [[t('orders.gift'), o.gift_code ?? `…${o.gift_code_end}`] as [string, string]] : []),
    ...(o.carrier ? [[t('orders.carrier'), [o.carrier, o.tracking].filter(Boolean).join(' ')] as [string, string]] : []),
    ...(o.address ? [[t('orders.to'), <span key="a">{o.address.name} {o.address.phone}<br />{o.address.line}</span>] as [string, React.ReactNode]] : []),
    [t('version', { n: o.version }), <Link key="r" to={`/rewards/${o.reward_id}`}>{t('orders.reward')}</Link>],
  ];
  return (
    <Page
      title={named(o)}
      crumbs={[{ to: '/rewards/orders', title: t('orders.title') }]}
      actions={may && (
        <>
          {(o.state === 'held' || o.state === 'paid' || (o.state === 'fulfilled' && !shipped)) && <Button danger onClick={() => setAsking('cancel')}>{t('orders.cancel')}</Button>}
          {(!digital || o.kind === 'coupon') && (o.state === 'done' || (o.state === 'fulfilled' && shipped)) && <Button danger onClick={() => setAsking('return')}>{t('orders.return')}</Button>}
          {o.state === 'paid' && o.way === 'pickup' && <Button type="primary" loading={step.isPending} onClick={() => step.mutate('ready')}>{t('orders.ready')}</Button>}
          {shipped && (o.state === 'paid' || o.state === 'fulfilled') && <Button type={o.state === 'paid' ? 'primary' : 'default'} onClick={() => setAsking('ship')}>{t('orders.ship')}</Button>}
          {shipped && o.state === 'fulfilled' && <Button type="primary" loading={step.isPending} onClick={() => step.mutate('deliver')}>{t('orders.deliver')}</Button>}
        </>
      )}
    >
      <WithAside
        width={360}
        aside={(
          <Section title={t('orders.history')}>
            <ol className={styles.history}>
              {(o.history ?? []).map((h, i) => <li key={i}><strong>{t(`orders.steps.${h.step}`)}</strong> <span className="quiet"><When at={h.at} /></span>{h.note && <div>{h.note}</div>}{h.actor && <div className="quiet">{h.actor}</div>}</li>)}
            </ol>
          </Section>
        )}
      >
        <Section>
          <p><StatusTag tone={orderTones[o.state]}>{words.state(o)}</StatusTag></p>
          <ProblemAlert error={step.error} />
          <dl className={styles.facts}>
            <div><dt>{t('orders.member')}</dt><dd><Link to={`/members/${o.member_id}`}>{t('orders.memberPage')}</Link></dd></div>
            {facts.map(([k, v]) => <div key={k}><dt>{k}</dt><dd>{v}</dd></div>)}
          </dl>
        </Section>
      </WithAside>
      <ReasonDialog open={asking === 'cancel'} title={t('orders.cancelTitle', { name: named(o) })} act={t('orders.cancel')} cancel={t('confirm.cancel')} danger pending={cancel.isPending} error={cancel.error} onSubmit={(r) => cancel.mutate(r)} onCancel={() => setAsking(undefined)}>{t('orders.cancelText')}</ReasonDialog>
      <ReasonDialog open={asking === 'return'} title={t('orders.returnTitle', { name: named(o) })} act={t('orders.return')} cancel={t('confirm.cancel')} danger pending={back.isPending} error={back.error} onSubmit={(r) => back.mutate(r)} onCancel={() => setAsking(undefined)}><Checkbox checked={restock} onChange={(e) => setRestock(e.target.checked)}>{t('orders.restock')}</Checkbox></ReasonDialog>
      <Modal open={asking === 'ship'} title={t('orders.ship')} okText={t('orders.ship')} cancelText={t('confirm.cancel')} confirmLoading={send.isPending} onOk={() => ship.submit()} onCancel={() => setAsking(undefined)}>
        <Form form={ship} layout="vertical" initialValues={{ carrier: o.carrier, tracking: o.tracking }} onFinish={(v) => send.mutate({ carrier: v.carrier, ...(v.tracking && { tracking: v.tracking }) })}>
          <Form.Item name="carrier" label={t('orders.carrier')} rules={[{ required: true, message: t('orders.carrierNeeded') }]}><Input maxLength={60} /></Form.Item>
          <Form.Item name="tracking" label={t('orders.tracking')}><Input maxLength={60} /></Form.Item>
        </Form>
        <ProblemAlert error={send.error} />
      </Modal>
    </Page>
  );
}
