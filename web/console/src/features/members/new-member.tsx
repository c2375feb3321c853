import { api, ok } from '@patron/shared/api/client.ts';
import type { CreateMemberEnrolInBody } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { App, Button, Drawer, Form, Input, Select, Space } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { useUnsaved } from '../../frame/unsaved.tsx';
import { useStores } from './stores.ts';

type Values = Pick<CreateMemberEnrolInBody, 'name' | 'phone' | 'email' | 'card' | 'gender' | 'birthday' | 'city' | 'store' | 'tags'>;

const genders = ['female', 'male', 'other'] as const;

/** Enrols one person. A phone is enough; everything else can come later. */
export function NewMember({ open, onClose }: { open: boolean; onClose: () => void }) {
  const { t } = useTranslation('members');
  const { named } = useFormat();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const stores = useStores();
  const [form] = Form.useForm<Values>();
  const [changed, setChanged] = useState(false);
  useUnsaved(open && changed);

  const create = useWrite((values: Values, key) => ok(api.POST('/v1/members', { body: said(values), params: { header: { 'Idempotency-Key': key } } })), {
    invalidates: [['members']],
    onSuccess: (member) => {
      setChanged(false);
      void message.success(t('created', { name: member.name || member.number }));
      onClose();
      void navigate({ search: '' }); // the newest is on top of the unfiltered list
    },
  });

  function close() {
    create.reset();
    setChanged(false);
    onClose();
  }

  return (
    <Drawer
      open={open}
      onClose={close}
      title={t('add')}
      size={440}
      destroyOnHidden
      mask={{ closable: !changed }}
      footer={
        <Space style={{ display: 'flex', justifyContent: 'flex-end' }}>
          <Button onClick={close}>{t('notNow')}</Button>
          <Button type="primary" loading={create.isPending} onClick={() => form.submit()}>{t('add')}</Button>
        </Space>
      }
    >
      <ProblemForm form={form} error={create.error} preserve={false} onFinish={(values) => create.mutate(values)} onValuesChange={() => setChanged(true)}>
        <Form.Item name="phone" label={t('phone')} extra={t('phoneHelp')}>
          <Input type="tel" autoComplete="off" maxLength={40} autoFocus />
        </Form.Item>
        <Form.Item name="name" label={t('name')}>
          <Input autoComplete="off" maxLength={100} />
        </Form.Item>
        <Form.Item name="email" label={t('email')}>
          <Input type="email" autoComplete="off" maxLength={254} />
        </Form.Item>
        <Form.Item name="card" label={t('cardNumber')}>
          <Input autoComplete="off" maxLength={64} />
        </Form.Item>
        <Form.Item name="gender" label={t('gender')}>
          <Select allowClear options={genders.map((value) => ({ value, label: t(`genders.${value}`) }))} />
        </Form.Item>
        <Form.Item name="birthday" label={t('birthday')} extra={t('birthdayHelp')}>
          <Input autoComplete="off" maxLength={10} placeholder="1990-12-06" />
        </Form.Item>
        <Form.Item name="city" label={t('city')}>
          <Input autoComplete="off" maxLength={60} />
        </Form.Item>
        <Form.Item name="store" label={t('store')}>
          <Select allowClear options={stores.filter((s) => s.open).map((s) => ({ value: s.id, label: named(s) }))} />
        </Form.Item>
        <Form.Item name="tags" label={t('tags')} extra={t('tagsHelp')}>
          <Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[',', '，', '、']} />
        </Form.Item>
      </ProblemForm>
    </Drawer>
  );
}

/** What was filled in: an empty field is not a value. */
function said(values: Values): CreateMemberEnrolInBody {
  const filled = Object.entries(values).filter(([, v]) => (Array.isArray(v) ? v.length > 0 : typeof v === 'string' && v.trim() !== ''));
  return Object.fromEntries(filled);
}
