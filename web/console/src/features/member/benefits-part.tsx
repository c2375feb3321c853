import { api, ok } from '@patron/shared/api/client.ts';
import type { CouponVoucherView, RewardOrderView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { StatusTag, type Tone } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, Checkbox, Form, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { programQuery, useCan } from '../../frame/me.ts';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { ReasonDialog } from '../../ui/reason-dialog.tsx';
import { useAmountText } from '../../ui/use-amount-text.ts';
import { ViewTabs } from '../../ui/view-tabs.tsx';
import { WideTable } from '../../ui/wide-table.tsx';
import { keyOf, type Member } from './api.ts';
import { More, useMore } from './more.tsx';
import part from './part.module.css';

const views = ['usable', 'used', 'expired'] as const;
type View = (typeof views)[number];

const voucherTones: Record<CouponVoucherView['state'], Tone> = { issued: 'info', claimed: 'success', held: 'warning', gifting: 'warning', redeemed: 'plain', revoked: 'error', expired: 'plain' };
const orderTones: Record<RewardOrderView['state'], Tone> = { held: 'warning', paid: 'info', fulfilled: 'info', done: 'success', cancelled: 'plain', returned: 'plain' };

/** What a member holds of coupons and has ordered of rewards. */
export function BenefitsPart({ member }: { member: Member }) {
  const { t } = useTranslation('member');
  const can = useCan();
  return (
    <>
      <Vouchers member={member} />
      {can('points.read') && (
        <>
          <div className={part.head}><h2>{t('benefits.orders.title')}</h2></div>
          <Orders member={member} />
        </>
      )}
    </>
  );
}

function Vouchers({ member }: { member: Member }) {
  const { t } = useTranslation('member');
  const { money } = useFormat();
  const can = useCan();
  const currency = useQuery(programQuery).data?.currency ?? 'CNY';
  const [view, setView] = useState<View>('usable');
  const [giving, setGiving] = useState(false);
  const [taking, setTaking] = useState<CouponVoucherView>();
  const list = useMore([...keyOf(member.id), 'vouchers', view], (cursor) => ok(api.GET('/v1/members/{ref}/vouchers', { params: { path: { ref: member.id }, query: { view, cursor, limit: 20 } } })));
  const revoke = useWrite((v: { code: string; reason: string }, key) => ok(api.POST('/v1/vouchers/{code}/revoke', { body: { reason: v.reason }, params: { path: { code: v.code }, header: { 'Idempotency-Key': key } } })), {
    invalidates: [['member'], ['vouchers'], ['coupons']],
    onSuccess: () => setTaking(undefined),
  });
  const gone = member.erased_at || member.merged_into;
  const mayGive = !gone && can('rules.read') && (can('rules.write') || can('points.write'));
  const mayTake = can('rules.write');
  const open = (v: CouponVoucherView) => v.state === 'claimed' || v.state === 'gifting';
  return (
    <>
      <div className={part.head}>
        <h2>{t('benefits.coupons')}</h2>
        {mayGive && <Button size="small" onClick={() => setGiving(true)}>{t('benefits.give.open')}</Button>}
      </div>
      <ViewTabs label={t('benefits.coupons')} items={views.map((key) => ({ key, label: t(`benefits.view.${key}`) }))} value={view} onChange={(v) => setView(v as View)} />
      <More list={list} empty={t(`benefits.none.${view}`)}>
        {(rows) => (
          <WideTable<CouponVoucherView>
            className={part.table}
            rowKey="code"
            dataSource={rows}
            columns={[
              { key: 'name', title: t('benefits.coupon'), className: part.what, render: (_, v) => <>{can('rules.read') ? <Link to={`/coupons/${v.coupon_id}`}>{v.name}</Link> : v.name}<div className="quiet">{t(`benefits.origin.${v.origin}`)}</div></> },
              { key: 'code', title: t('benefits.code'), render: (_, v) => <Link to={`/coupons/codes?code=${v.code}`} style={{ fontFamily: 'ui-monospace, monospace', whiteSpace: 'nowrap' }}>{v.shown}</Link> },
              view === 'used'
                ? { key: 'off', title: t('benefits.off'), align: 'right' as const, render: (_: unknown, v: CouponVoucherView) => <>{v.sale_id ? <Link to={`/sales/${v.sale_id}`}>{money(v.off, currency)}</Link> : money(v.off, currency)}<div className="quiet">{v.used_at && <When at={v.used_at} />}</div></> }
                : { key: 'until', title: t('benefits.until'), render: (_: unknown, v: CouponVoucherView) => (v.valid_until ? <When at={endOf(v.valid_until)} as="deadline" /> : <span className="quiet">{t('benefits.noEnd')}</span>) },
              { key: 'state', title: t('benefits.state'), width: 112, render: (_, v) => <StatusTag tone={voucherTones[v.state]}>{t(`benefits.voucher.${v.state}`)}</StatusTag> },
              ...(mayTake && view === 'usable' ? [{ key: 'act', title: '', width: 72, align: 'right' as const, render: (_: unknown, v: CouponVoucherView) => open(v) && <Button type="link" size="small" danger onClick={() => setTaking(v)}>{t('benefits.revoke.open')}</Button> }] : []),
            ]}
          />
        )}
      </More>
      {giving && <Give member={member} onClose={() => setGiving(false)} />}
      <ReasonDialog open={taking !== undefined} danger title={taking ? t('benefits.revoke.title', { name: taking.name, code: taking.shown }) : ''} act={t('benefits.revoke.act')} cancel={t('benefits.revoke.not')} pending={revoke.isPending} error={revoke.error}
        onSubmit={(reason) => taking && revoke.mutate({ code: taking.code, reason })}
        onCancel={() => {
          revoke.reset();
          setTaking(undefined);
        }}
      >
        <p style={{ marginBottom: 12 }}>{t('benefits.revoke.what')}</p>
      </ReasonDialog>
    </>
  );
}

/** The last instant that counts, as the first that does not: what a deadline is written of. */
const endOf = (until: string) => new Date(Date.parse(until) + 1).toISOString();

interface GiveValues {
  coupon: string;
  charge?: boolean;
}

/** Gives the member a voucher of a coupon that is live, free or for its price. */
function Give({ member, onClose }: { member: Member; onClose: () => void }) {
  const { t } = useTranslation('member');
  const { named } = useFormat();
  const amountText = useAmountText();
  const live = useQuery({ queryKey: ['coupons', 'live'], queryFn: () => ok(api.GET('/v1/coupons', { params: { query: { state: 'live', limit: 200 } } })) });
  const coupons = (live.data?.items ?? []).filter((c) => !c.shared_code);
  const write = useWrite((v: GiveValues, key) => ok(api.POST('/v1/coupons/{id}/vouchers', { body: { member: member.id, ...(v.charge && { charge: true }) }, params: { path: { id: v.coupon }, header: { 'Idempotency-Key': key } } })), {
    invalidates: [['member'], ['coupons']],
    onSuccess: onClose,
  });
  return (
    <FormDrawer<Partial<GiveValues>> open title={t('benefits.give.title', { name: member.name || member.number })} act={t('benefits.give.act')} first="coupon" initial={{}} write={write} onSave={(v) => write.mutate({ coupon: v.coupon ?? '', ...(v.charge && { charge: true }) })} onClose={onClose}>
      {(form) => (
        <>
          <Form.Item name="coupon" label={t('benefits.coupon')} extra={t('benefits.give.help')} rules={[{ required: true, message: t('benefits.give.needed') }]}>
            <Select showSearch={{ optionFilterProp: 'label' }} loading={live.isPending} notFoundContent={live.data ? t('benefits.give.none') : undefined} options={coupons.map((c) => ({ value: c.id, label: named(c) }))} />
          </Form.Item>
          <Form.Item noStyle shouldUpdate>
            {() => {
              const price = coupons.find((c) => c.id === (form.getFieldValue('coupon') as string | undefined))?.price;
              return price?.amount && <Form.Item name="charge" valuePropName="checked"><Checkbox>{t('benefits.give.charge', { price: amountText(price.amount ?? 0, price.currency ?? '') })}</Checkbox></Form.Item>;
            }}
          </Form.Item>
        </>
      )}
    </FormDrawer>
  );
}

function Orders({ member }: { member: Member }) {
  const { t } = useTranslation('member');
  const { named, money } = useFormat();
  const amountText = useAmountText();
  const list = useMore([...keyOf(member.id), 'reward-orders'], (cursor) => ok(api.GET('/v1/members/{ref}/reward-orders', { params: { path: { ref: member.id }, query: { cursor, limit: 20 } } })));
  const paid = (o: RewardOrderView) => (o.money.amount > 0 ? t('benefits.orders.plus', { points: amountText(o.points, o.currency), money: money(o.money.amount, o.money.currency, { trim: true }) }) : amountText(o.points, o.currency));
  return (
    <More list={list} empty={t('benefits.orders.none')}>
      {(rows) => (
        <WideTable<RewardOrderView>
          className={part.table}
          rowKey="id"
          dataSource={rows}
          columns={[
            { key: 'reward', title: t('benefits.orders.reward'), className: part.what, render: (_, o) => <Link to={`/rewards/orders/${o.id}`}>{named(o)}</Link> },
            { key: 'price', title: t('benefits.orders.price'), render: (_, o) => paid(o) },
            { key: 'made', title: t('benefits.orders.made'), render: (_, o) => <When at={o.made_at} /> },
            { key: 'state', title: t('benefits.state'), width: 112, render: (_, o) => <StatusTag tone={orderTones[o.state]}>{o.lapsed ? t('benefits.orders.lapsed') : t(`benefits.orders.states.${o.state}${o.state === 'fulfilled' || o.state === 'paid' ? `_${o.way === 'ship' ? 'ship' : 'pickup'}` : ''}`)}</StatusTag> },
          ]}
        />
      )}
    </More>
  );
}
