import { api, ok } from '@patron/shared/api/client.ts';
import type { EraseMemberEraseInBody } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { Checkbox, Form, Input, Modal, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { ProblemForm } from '../../ui/problem-form.tsx';
import type { ActProps } from './acts.tsx';
import styles from './act.module.css';
import { useAmountText } from './use-amount-text.ts';

interface Values extends EraseMemberEraseInBody {
  typed: string;
}

const reasons = ['request', 'consent_withdrawn', 'retention', 'law', 'mistake'] as const;

/** Erases a member for good. The number has to be typed: nothing brings it back. */
export default function Erase({ member, open, onClose }: ActProps) {
  const { t } = useTranslation('member');
  const { named } = useFormat();
  const text = useAmountText();
  const [form] = Form.useForm<Values>();
  const typed = Form.useWatch('typed', form);
  const left = (member.wallets ?? []).filter((w) => w.available > 0 && w.kind !== 'growth');
  const stored = left.some((w) => w.kind === 'stored');
  const erase = useWrite((body: EraseMemberEraseInBody, key) => ok(api.POST('/v1/members/{ref}/erase', { body, params: { path: { ref: member.id }, header: { 'Idempotency-Key': key } } })), { invalidates: [['member'], ['members']], onSuccess: onClose });
  return (
    <Modal
      open={open}
      title={t('erase.title', { name: member.name || member.number })}
      okText={t('erase.act')}
      cancelText={t('erase.cancel')}
      okButtonProps={{ danger: true, type: 'primary', disabled: typed?.trim() !== member.number, loading: erase.isPending }}
      onOk={() => form.submit()}
      onCancel={onClose}
      afterClose={() => {
        form.resetFields();
        erase.reset();
      }}
      width={480}
    >
      <p className="lead">{t('erase.lead')}</p>
      {left.length > 0 && <p className={styles.notice}>{t('erase.lost', { what: left.map((w) => `${named(w)} ${text(w.available, w.currency)}`).join(t('listComma')) })}</p>}
      <ProblemForm form={form} error={erase.error} initialValues={{ reason: 'request' }} onFinish={({ reason, forfeit }) => erase.mutate({ reason, ...(forfeit ? { forfeit } : {}) })}>
        <Form.Item name="reason" label={t('erase.reason')}><Select options={reasons.map((value) => ({ value, label: t(`erase.reasons.${value}`) }))} /></Form.Item>
        {stored && <Form.Item name="forfeit" valuePropName="checked"><Checkbox>{t('erase.forfeit')}</Checkbox></Form.Item>}
        <Form.Item name="typed" label={t('erase.typed', { number: member.number })} style={{ marginBottom: 8 }}><Input autoComplete="off" inputMode="numeric" /></Form.Item>
      </ProblemForm>
    </Modal>
  );
}
