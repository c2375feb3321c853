import { api, ok } from '@patron/shared/api/client.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { App, Button, Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { ProblemForm } from '../../ui/problem-form.tsx';

interface Values {
  present: string;
  password: string;
}

/** Changes one's own password. Every other browser is signed out. */
export function PasswordForm() {
  const { t } = useTranslation('account');
  const { message } = App.useApp();
  const [form] = Form.useForm<Values>();
  const change = useWrite((body: Values, key) => ok(api.POST('/v1/me/password', { body, params: { header: { 'Idempotency-Key': key } } })), {
    invalidates: [['sessions']],
    onSuccess: () => {
      form.resetFields();
      void message.success(t('change.done'));
    },
  });
  return (
    <ProblemForm form={form} error={change.error} style={{ maxWidth: 400 }} onFinish={(values) => change.mutate(values)}>
      <Form.Item name="present" label={t('change.present')} rules={[{ required: true, message: t('passwordNeeded') }]}>
        <Input.Password autoComplete="current-password" />
      </Form.Item>
      <Form.Item name="password" label={t('change.next')} extra={t('passwordHelp')} rules={[{ required: true, message: t('passwordNeeded') }]}>
        <Input.Password autoComplete="new-password" maxLength={128} />
      </Form.Item>
      <Button htmlType="submit" loading={change.isPending}>{t('change.act')}</Button>
    </ProblemForm>
  );
}
