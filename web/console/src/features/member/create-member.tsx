import { api, ok } from '@patron/shared/api/client.ts';
import type { MemberNewMember } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { Button, Drawer, Form, Input, Select } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { filled, ProfileFields } from './profile-fields.tsx';
import { useLeave } from '../../frame/use-leave.ts';
import { typing } from '../../ui/typing.ts';

/** Enrols a member by hand. One way to find them again is enough; what the API refuses stands beside its field. */
export function CreateMember({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation('member');
  const navigate = useNavigate();
  const [form] = Form.useForm<MemberNewMember>();
  const [changed, setChanged] = useState(false);
  const create = useWrite((body: MemberNewMember, key) => ok(api.POST('/v1/members', { body, params: { header: { 'Idempotency-Key': key } } })), {
    invalidates: [['members']],
    onSuccess: () => {
      setChanged(false);
      onClose();
    },
  });
  const leave = useLeave(changed, () => {
    setChanged(false);
    onClose();
  });
  const made = create.data?.id;
  useEffect(() => { // after the guard's own, which then knows that nothing is left to lose
    if (made && !changed) void navigate(`/members/${made}`);
  }, [made, changed, navigate]);
  return (
    <Drawer
      open={open}
      onClose={leave}
      title={t('create.title')}
      size={480}
      afterOpenChange={(is) => {
        if (is) {
          create.reset(); // not when it closes: whom it made is where the page goes next
          if (!typing()) (form as typeof form).getFieldInstance('phone')?.focus?.();
        } else {
          form.resetFields();
        }
      }}
      footer={
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button onClick={leave}>{t('create.cancel')}</Button>
          <Button type="primary" loading={create.isPending} onClick={() => form.submit()}>{t('create.act')}</Button>
        </div>
      }
    >
      <ProblemForm form={form} error={create.error} onValuesChange={() => setChanged(true)} onFinish={(values) => create.mutate(filled(values) as MemberNewMember)}>
        <Form.Item name="phone" label={t('field.phone')} extra={t('help.phone')}><Input type="tel" autoComplete="off" /></Form.Item>
        <Form.Item name="email" label={t('field.email')}><Input type="email" autoComplete="off" /></Form.Item>
        <Form.Item name="card" label={t('field.card')} extra={t('help.identifiers')}><Input autoComplete="off" /></Form.Item>
        <ProfileFields />
        <Form.Item name="tags" label={t('field.tags')} extra={t('help.tags')}><Select mode="tags" tokenSeparators={[',', '，', ' ']} open={false} suffixIcon={null} /></Form.Item>
      </ProblemForm>
    </Drawer>
  );
}
