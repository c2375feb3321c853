import { api, ok } from '@patron/shared/api/client.ts';
import type { MemberPatchBody } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useQuery } from '@tanstack/react-query';
import { Button, Checkbox, Drawer, Form, Input, InputNumber, Select } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemForm } from '../../ui/problem-form.tsx';
import type { ActProps } from './acts.tsx';
import { ProfileFields, type ProfileValues } from './profile-fields.tsx';
import { useLeave } from '../../frame/use-leave.ts';

type Values = ProfileValues & { attributes?: Record<string, unknown> };
const names = ['name', 'gender', 'birthday', 'city', 'address', 'language', 'store', 'source'] as const;

/** Changes what is known of the member. Sends what differs, and only against the version that was read. */
export default function Edit({ member, open, onClose }: ActProps) {
  const { t, i18n } = useTranslation('member');
  const [form] = Form.useForm<Values>();
  const [changed, setChanged] = useState(false);
  const attributes = useQuery({ queryKey: ['attributes'], queryFn: () => ok(api.GET('/v1/attributes')), staleTime: 5 * 60_000, enabled: open }).data?.items?.filter((a) => !a.archived) ?? [];
  const done = () => {
    setChanged(false);
    onClose();
  };
  const save = useWrite(
    (body: MemberPatchBody, key) => ok(api.PATCH('/v1/members/{ref}', { body, params: { path: { ref: member.id }, header: { 'Idempotency-Key': key, 'If-Match': `"${member.version}"` } } })),
    { invalidates: [['member'], ['members']], onSuccess: done },
  );
  const leave = useLeave(changed, done);
  // While it is shut: a form that begins anew once it is open would take away what was typed meanwhile.
  useEffect(() => {
    if (!open) form.resetFields();
  }, [open, member.version, form]);
  const submit = (values: Values) => {
    const body: MemberPatchBody = {};
    for (const name of names) if ((values[name] || undefined) !== (member[name] || undefined)) body[name] = values[name] || null;
    const own = Object.entries(values.attributes ?? {}).filter(([key, v]) => (v ?? '') !== (member.attributes[key] ?? ''));
    if (own.length) body.attributes = Object.fromEntries(own.map(([key, v]) => [key, v === '' || v === undefined ? null : v]));
    if (Object.keys(body).length === 0) done();
    else save.mutate(body);
  };
  return (
    <Drawer
      open={open}
      onClose={leave}
      title={t('edit.title')}
      size={480}
      afterOpenChange={(is) => {
        if (!is) save.reset();
      }}
      footer={
        <div style={{ display: 'flex', gap: 8, justifyContent: 'flex-end' }}>
          <Button onClick={leave}>{t('edit.cancel')}</Button>
          <Button type="primary" loading={save.isPending} onClick={() => form.submit()}>{t('edit.act')}</Button>
        </div>
      }
    >
      <ProblemForm form={form} error={save.error} initialValues={{ ...Object.fromEntries(names.map((n) => [n, member[n]])), attributes: member.attributes }} onValuesChange={() => setChanged(true)} onFinish={submit}>
        <ProfileFields />
        {attributes.map((a) => (
          <Form.Item key={a.key} name={['attributes', a.key]} label={i18n.language === 'zh-CN' ? a.label_zh : a.label_en} valuePropName={a.kind === 'boolean' ? 'checked' : 'value'}>
            {a.kind === 'number' ? <InputNumber style={{ width: '100%' }} /> : a.kind === 'boolean' ? <Checkbox /> : a.kind === 'choice' ? <Select allowClear options={a.choices?.map((value) => ({ value, label: value }))} /> : <Input placeholder={a.kind === 'date' ? '1990-02-28' : undefined} />}
          </Form.Item>
        ))}
      </ProblemForm>
    </Drawer>
  );
}
