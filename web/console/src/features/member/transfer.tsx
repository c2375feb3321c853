import { api, ok } from '@patron/shared/api/client.ts';
import type { TransferInBody } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { App, Form, InputNumber, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useCurrencies } from '../../frame/lookups.ts';
import { ReasonDialog } from '../../ui/reason-dialog.tsx';
import type { ActProps } from './acts.tsx';
import styles from './act.module.css';
import { Amount } from './amount.tsx';
import { unitsOf } from './api.ts';
import { MemberField } from './member-field.tsx';
import { useAmountText } from './use-amount-text.ts';

/** Gives points of the member to another, within what the currency allows. */
export default function Transfer({ member, open, onClose }: ActProps) {
  const { t } = useTranslation('member');
  const { named } = useFormat();
  const { message } = App.useApp();
  const text = useAmountText();
  const currencies = useCurrencies();
  const wallets = (member.wallets ?? []).filter((w) => currencies.list.find((c) => c.code === w.currency)?.policy.transfer?.allowed);
  const [chosen, setCode] = useState<string>();
  const [to, setTo] = useState<string>();
  const [typed, setTyped] = useState<number | null>(null);
  const [tried, setTried] = useState(false);
  const code = chosen ?? wallets[0]?.currency ?? '';
  const wallet = wallets.find((w) => w.currency === code);
  const policy = currencies.list.find((c) => c.code === code)?.policy.transfer;
  const amount = unitsOf(typed ?? 0, wallet?.decimals ?? 0);
  const fee = Math.ceil((amount * (policy?.fee_percent ?? 0)) / 100);
  const give = useWrite((body: TransferInBody, key) => ok(api.POST('/v1/transfers', { body, params: { header: { 'Idempotency-Key': key } } })), {
    invalidates: [['member']],
    onSuccess: () => {
      onClose();
      void message.success(t('transfer.done', { amount: text(amount, code) }));
      setTyped(null);
      setTo(undefined);
    },
  });
  return (
    <ReasonDialog
      open={open}
      first="transfer-to"
      title={amount ? t('transfer.titled', { name: member.name || member.number, amount: text(amount, code) }) : t('acts.transfer')}
      change={wallet && amount ? [{ label: t('adjust.usable'), before: <Amount amount={wallet.available} currency={code} />, after: <Amount amount={wallet.available - amount - fee} currency={code} /> }] : []}
      act={amount ? t('transfer.act', { amount: text(amount, code) }) : t('acts.transfer')}
      cancel={t('transfer.cancel')}
      reasonLabel={t('transfer.reason')}
      pending={give.isPending}
      error={give.error}
      onCancel={() => {
        give.reset();
        onClose();
      }}
      onSubmit={(reason) => {
        setTried(true);
        if (amount > 0 && to) give.mutate({ from: member.id, to, amount, currency: code, reason });
      }}
    >
      {wallets.length === 0 ? <p className="lead">{t('transfer.none')}</p> : (
        <Form layout="vertical" component={false}>
          <Form.Item label={t('transfer.to')} htmlFor="transfer-to" validateStatus={tried && !to ? 'error' : undefined} help={tried && !to ? t('transfer.needed') : undefined}><MemberField id="transfer-to" value={to} onChange={setTo} except={member.id} /></Form.Item>
          <div className={styles.pair}>
            <Form.Item label={t('adjust.currency')} htmlFor="transfer-currency"><Select id="transfer-currency" value={code} onChange={setCode} options={wallets.map((w) => ({ value: w.currency, label: named(w) }))} /></Form.Item>
            <Form.Item label={t('adjust.amount')} htmlFor="transfer-amount" validateStatus={tried && amount === 0 ? 'error' : undefined} help={tried && amount === 0 ? t('adjust.needed') : undefined} extra={policy && (policy.min || policy.max) ? t('transfer.bounds', { min: text(policy.min ?? 1, code), max: policy.max ? text(policy.max, code) : t('transfer.noMax') }) : undefined}>
              <InputNumber id="transfer-amount" min={0} precision={wallet?.decimals ?? 0} value={typed} onChange={setTyped} style={{ width: '100%' }} />
            </Form.Item>
          </div>
          {fee > 0 && <p className="quiet">{t('transfer.fee', { fee: text(fee, code) })}</p>}
        </Form>
      )}
    </ReasonDialog>
  );
}
