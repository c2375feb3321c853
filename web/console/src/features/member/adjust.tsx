import { api, ok } from '@patron/shared/api/client.ts';
import type { AdjustInBody } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { App, Form, InputNumber, Radio, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useCurrencies, useStores } from '../../frame/lookups.ts';
import { ReasonDialog } from '../../ui/reason-dialog.tsx';
import type { ActProps } from './acts.tsx';
import { Amount } from './amount.tsx';
import { unitsOf } from './api.ts';
import styles from './act.module.css';
import { useAmountText } from './use-amount-text.ts';

/** Corrects a balance, up or down. Over the limit of its currency nothing moves until a second person agrees. */
export default function Adjust({ member, open, onClose }: ActProps) {
  const { t } = useTranslation('member');
  const { named } = useFormat();
  const { message } = App.useApp();
  const text = useAmountText();
  const currencies = useCurrencies();
  const stores = useStores();
  const wallets = member.wallets ?? [];
  const [code, setCode] = useState(() => wallets.find((w) => w.kind === 'points')?.currency ?? wallets[0]?.currency ?? '');
  const [sign, setSign] = useState<1 | -1>(1);
  const [typed, setTyped] = useState<number | null>(null);
  const [tried, setTried] = useState(false);
  const [store, setStore] = useState<string>();
  const wallet = wallets.find((w) => w.currency === code);
  const decimals = wallet?.decimals ?? 0;
  const amount = sign * unitsOf(typed ?? 0, decimals);
  const limit = currencies.list.find((c) => c.code === code)?.policy.approve_above ?? 0;
  const large = limit > 0 && Math.abs(amount) > limit;
  const shown = text(Math.abs(amount), code);
  const adjust = useWrite((body: AdjustInBody, key) => ok(api.POST('/v1/members/{ref}/adjustments', { body, params: { path: { ref: member.id }, header: { 'Idempotency-Key': key } } })), {
    invalidates: [['member'], ['approvals'], ['attention']],
    onSuccess: (out) => {
      onClose();
      setTyped(null);
      void message.success(out.state === 'waiting' ? t('adjust.waits') : t('adjust.done', { amount: shown }), 5);
    },
  });
  const name = member.name || member.number;
  const word = sign > 0 ? 'up' : 'down';
  return (
    <ReasonDialog
      open={open}
      first="adjust-amount"
      title={amount === 0 ? t('adjust.title', { name }) : t(`adjust.titled.${word}`, { name, amount: shown })}
      change={wallet && amount !== 0 ? [{ label: t('adjust.usable'), before: <Amount amount={wallet.available} currency={code} />, after: <Amount amount={wallet.available + amount} currency={code} /> }] : []}
      act={amount === 0 ? t('acts.adjust') : t(large ? `adjust.actWaits.${word}` : `adjust.act.${word}`, { amount: shown })}
      cancel={t('adjust.cancel')}
      danger={sign < 0}
      reasonLabel={t('adjust.reason')}
      pending={adjust.isPending}
      error={adjust.error}
      onCancel={() => {
        adjust.reset();
        onClose();
      }}
      onSubmit={(reason) => {
        setTried(true);
        if (amount !== 0) adjust.mutate({ amount, currency: code, reason, ...(store ? { store } : {}) });
      }}
    >
      <Form layout="vertical" component={false}>
        <Radio.Group className={styles.choice} value={sign} onChange={(e) => setSign(e.target.value as 1 | -1)} options={[{ value: 1, label: t('adjust.up') }, { value: -1, label: t('adjust.down') }]} optionType="button" />
        <div className={styles.pair}>
          <Form.Item label={t('adjust.currency')} htmlFor="adjust-currency"><Select id="adjust-currency" value={code} onChange={setCode} options={wallets.map((w) => ({ value: w.currency, label: named(w) }))} /></Form.Item>
          <Form.Item label={t('adjust.amount')} htmlFor="adjust-amount" validateStatus={tried && amount === 0 ? 'error' : undefined} help={tried && amount === 0 ? t('adjust.needed') : undefined}><InputNumber id="adjust-amount" min={0} max={1e9} precision={decimals} value={typed} onChange={setTyped} style={{ width: '100%' }} /></Form.Item>
        </div>
        <Form.Item label={t('adjust.store')} htmlFor="adjust-store"><Select id="adjust-store" allowClear value={store} onChange={setStore} options={stores.options} placeholder={t('adjust.noStore')} /></Form.Item>
      </Form>
      {large && <p className={styles.notice} role="status">{t('adjust.overLimit', { limit: text(limit, code) })}</p>}
    </ReasonDialog>
  );
}
