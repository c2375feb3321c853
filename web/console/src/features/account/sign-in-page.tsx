import { api, ok } from '@patron/shared/api/client.ts';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Button, Form, Input } from 'antd';
import { useTranslation } from 'react-i18next';
import { meQuery } from '../../frame/me.ts';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { Door } from './door.tsx';

interface Values {
  email: string;
  password: string;
}

/** Shown in place of any page while nobody is signed in. */
export default function SignInPage() {
  const { t } = useTranslation('account');
  const client = useQueryClient();
  const [form] = Form.useForm<Values>();
  const signIn = useMutation({
    mutationFn: (body: Values) => ok(api.POST('/v1/sign-in', { body })),
    onSuccess: (me) => {
      client.removeQueries({ predicate: (q) => q.queryKey[0] !== 'me' }); // what the one before saw
      client.setQueryData(meQuery.queryKey, me);
    },
  });
  return (
    <Door title={t('signIn.title')}>
      <ProblemForm form={form} error={signIn.error} size="large" onFinish={(values) => signIn.mutate(values)}>
        <Form.Item name="email" label={t('email')} rules={[{ required: true, message: t('emailNeeded') }]}>
          <Input type="email" autoComplete="username" autoFocus />
        </Form.Item>
        <Form.Item name="password" label={t('password')} rules={[{ required: true, message: t('passwordNeeded') }]}>
          <Input.Password autoComplete="current-password" />
        </Form.Item>
        <Button type="primary" htmlType="submit" block loading={signIn.isPending}>{t('signIn.act')}</Button>
      </ProblemForm>
    </Door>
  );
}
