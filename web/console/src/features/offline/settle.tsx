import { api, ok } from '@patron/shared/api/client.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { App, Form, Input, Modal, Radio } from 'antd';
import { useTranslation } from 'react-i18next';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { useLast } from '../../ui/use-last.ts';
import type { Conflict } from './offline-page.tsx';

const outcomes = ['programme', 'store', 'nobody'] as const;

interface Values {
  outcome: (typeof outcomes)[number];
  note?: string;
}

/** Says who bears a conflict. */
export function Settle({ what, money: currency, onClose }: { what: Conflict | undefined; money: string; onClose: () => void }) {
  const { t } = useTranslation('offline');
  const { money } = useFormat();
  const { message } = App.useApp();
  const [form] = Form.useForm<Values>();
  const write = useWrite(
    ({ id, ...body }: Values & { id: string }, key) => ok(api.POST('/v1/offline/conflicts/{id}/settle', { params: { path: { id }, header: { 'Idempotency-Key': key } }, body: { outcome: body.outcome, note: body.note?.trim() || undefined } })),
    {
      invalidates: [['offline']],
      onSuccess: () => {
        onClose();
        void message.success(t('settle.done'));
      },
    },
  );
  const title = useLast(what ? t('settle.title', { figure: money(what.worth, currency) }) : '');
  return (
    <Modal
      open={what !== undefined}
      title={title}
      okText={t('settle.act')}
      cancelText={t('settle.cancel')}
      okButtonProps={{ loading: write.isPending }}
      onOk={() => form.submit()}
      onCancel={onClose}
      afterClose={() => {
        form.resetFields();
        write.reset();
      }}
      width={460}
    >
      <ProblemForm<Values> form={form} error={write.error} initialValues={{ outcome: 'programme' }} onFinish={(v) => what && write.mutate({ ...v, id: what.id })}>
        <Form.Item name="outcome" label={t('settle.who')}>
          <Radio.Group style={{ display: 'grid', gap: 8 }} options={outcomes.map((value) => ({ value, label: t(`settle.outcome.${value}`) }))} />
        </Form.Item>
        <Form.Item name="note" label={t('settle.note')} style={{ marginBottom: 8 }}><Input.TextArea autoSize={{ minRows: 2, maxRows: 5 }} maxLength={500} /></Form.Item>
      </ProblemForm>
    </Modal>
  );
}
