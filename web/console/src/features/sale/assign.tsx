import { api, ok } from '@patron/shared/api/client.ts';
import type { SaleView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { Money } from '@patron/shared/ui/money.tsx';
import { Points } from '@patron/shared/ui/points.tsx';
import { App, Form, Input, Modal } from 'antd';
import { useTranslation } from 'react-i18next';
import { useCurrencies } from '../../frame/lookups.ts';
import { refOf } from '../../frame/ref-of.ts';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { useLast } from '../../ui/use-last.ts';

/** Gives a sale that nobody owns to a member, who earns as of its day. */
export function Assign({ sale, onClose }: { sale: SaleView | undefined; onClose: () => void }) {
  const { t } = useTranslation('sale');
  const { message } = App.useApp();
  const currencies = useCurrencies();
  const [form] = Form.useForm<{ member: string }>();
  const assign = useWrite(
    ({ id, member }: { id: string; member: string }, key) => ok(api.POST('/v1/sales/{id}/assign', { body: { member }, params: { path: { id }, header: { 'Idempotency-Key': key } } })),
    {
      invalidates: [['sales'], ['sale'], ['attention']],
      onSuccess: (out) => {
        onClose();
        void message.success(
          <>
            {t('assign.done')} {out.points?.map((p) => <Points key={p.lot_id} amount={p.amount} decimals={currencies.decimalsOf(p.currency)} signed />)}
          </>,
        );
      },
    },
  );
  const title = useLast(sale && t('assign.title', { document: sale.document }));
  return (
    <Modal
      open={sale !== undefined}
      title={title}
      okText={t('assign.act')}
      cancelText={t('assign.cancel')}
      okButtonProps={{ loading: assign.isPending }}
      onOk={() => form.submit()}
      onCancel={onClose}
      afterClose={() => {
        form.resetFields();
        assign.reset();
      }}
      width={460}
    >
      <p className="lead">{t('assign.lead')} {sale && <Money amount={sale.total} currency={sale.currency} />}</p>
      <ProblemForm form={form} error={assign.error} onFinish={({ member }) => sale && assign.mutate({ id: sale.id, member: refOf(member) })}>
        <Form.Item name="member" label={t('assign.member')} extra={t('assign.help')} rules={[{ required: true, whitespace: true, message: t('assign.needed') }]}>
          <Input autoComplete="off" />
        </Form.Item>
      </ProblemForm>
    </Modal>
  );
}
