import { api, ok } from '@patron/shared/api/client.ts';
import type { PickUpRewardPickupInBody, RewardOrderView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { App, Checkbox, Form, Input, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { StoreSelect } from '../../ui/place-select.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { useRewardWords } from './words.ts';

/** Hands over by pick-up code: first what it is, then the act; money that is to be paid is taken with it. */
export function HandOver({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('reward');
  const { named, money } = useFormat();
  const words = useRewardWords();
  const { message } = App.useApp();
  const [code, setCode] = useState('');
  const [store, setStore] = useState<string>();
  const [found, setFound] = useState<RewardOrderView>();
  const [took, setTook] = useState(false);
  const body = (): PickUpRewardPickupInBody => ({ code, ...(store && { store }), ...(found && found.state === 'held' && { payment: { kind: 'cash', amount: found.money.amount, currency: found.money.currency } }) });
  const look = useWrite(async (sent: PickUpRewardPickupInBody, key) => (await ok(api.POST('/v1/reward-orders/pickup', { body: sent, params: { query: { dry_run: true }, header: { 'Idempotency-Key': key } } }))).order, { onSuccess: setFound });
  const hand = useWrite((sent: PickUpRewardPickupInBody, key) => ok(api.POST('/v1/reward-orders/pickup', { body: sent, params: { header: { 'Idempotency-Key': key } } })), {
    invalidates: [['rewards'], ['member']],
    onSuccess: (out) => {
      void message.success(t('hand.done', { name: named(out.order) }));
      onClose();
    },
  });
  const due = found?.state === 'held';
  return (
    <Modal open title={t('hand.title')} okText={found ? t('hand.act') : t('hand.look')} cancelText={t('confirm.cancel')} confirmLoading={look.isPending || hand.isPending} okButtonProps={{ disabled: !code.trim() || (due && !took) }} onOk={() => (found ? hand.mutate(body()) : look.mutate(body()))} onCancel={onClose} width={460}>
      <Form layout="vertical">
        <Form.Item label={t('hand.code')} htmlFor="pickup-code"><Input id="pickup-code" autoFocus autoComplete="off" maxLength={40} value={code} onPressEnter={() => !found && code.trim() && look.mutate(body())} onChange={(e) => { setCode(e.target.value); setFound(undefined); look.reset(); hand.reset(); }} style={{ fontFamily: 'ui-monospace, monospace', fontSize: 17 }} /></Form.Item>
        <Form.Item label={t('hand.store')}><StoreSelect allowClear placeholder={t('orders.anyStore')} value={store} onChange={(v) => setStore(v as string | undefined)} /></Form.Item>
        {found && <p><strong>{named(found)}</strong><br /><span className="quiet">{words.ordered(found)}</span></p>}
        {due && <Checkbox checked={took} onChange={(e) => setTook(e.target.checked)}>{t('hand.took', { money: money(found.money.amount, found.money.currency, { trim: true }) })}</Checkbox>}
      </Form>
      <ProblemAlert error={hand.error ?? look.error} />
    </Modal>
  );
}
