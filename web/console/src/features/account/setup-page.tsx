import { api, ok } from '@patron/shared/api/client.ts';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Button, Form, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { meQuery } from '../../frame/me.ts';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { Door } from './door.tsx';

interface Values {
  name: string;
  email: string;
  password: string;
}

/** The one-time link of the first owner. Its token stands behind #, so that no server or proxy logs it. */
export default function SetupPage() {
  const { t } = useTranslation('account');
  const navigate = useNavigate();
  const client = useQueryClient();
  const [form] = Form.useForm<Values>();
  const [token] = useState(() => location.hash.slice(1)); // kept, for the address is left before the page is
  const setUp = useMutation({
    mutationFn: (values: Values) => ok(api.POST('/v1/setup', { body: { token, ...values } })),
    onSuccess: async () => {
      await client.resetQueries({ queryKey: meQuery.queryKey });
      await navigate('/', { replace: true });
    },
  });
  if (!token) {
    return <Door title={t('setup.noToken')} text={t('setup.noTokenText')}><p style={{ marginTop: 20 }}><Link to="/"><Button block>{t('signIn.act')}</Button></Link></p></Door>;
  }
  return (
    <Door title={t('setup.title')} text={t('setup.text')}>
      <ProblemForm form={form} error={setUp.error} size="large" onFinish={(values) => setUp.mutate(values)}>
        <Form.Item name="name" label={t('name')} rules={[{ required: true, whitespace: true, message: t('nameNeeded') }]}>
          <Input autoComplete="name" maxLength={100} />
        </Form.Item>
        <Form.Item name="email" label={t('email')} rules={[{ required: true, message: t('emailNeeded') }]}>
          <Input type="email" autoComplete="username" maxLength={254} />
        </Form.Item>
        <Form.Item name="password" label={t('password')} extra={t('passwordHelp')} rules={[{ required: true, message: t('passwordNeeded') }]}>
          <Input.Password autoComplete="new-password" maxLength={128} />
        </Form.Item>
        <Button type="primary" htmlType="submit" block loading={setUp.isPending}>{t('setup.act')}</Button>
      </ProblemForm>
    </Door>
  );
}
