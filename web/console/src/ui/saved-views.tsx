import { api, ok } from '@patron/shared/api/client.ts';
import type { AddViewAddInBody, DeskView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useQuery } from '@tanstack/react-query';
import { App, Button, Checkbox, Dropdown, Form, Input, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useSearchParams } from 'react-router';
import { cursorParam } from './filters.ts';
import { ProblemForm } from './problem-form.tsx';
import styles from './saved-views.module.css';

/**
 * The named filters of a list, in one row over it: everybody's own and those that colleagues share. The
 * view that stands is the one whose filters are in the address.
 */
export function SavedViews({ feature }: { feature: AddViewAddInBody['feature'] }) {
  const { t } = useTranslation('frame');
  const { modal } = App.useApp();
  const navigate = useNavigate();
  const [params] = useSearchParams();
  const [naming, setNaming] = useState(false);
  const [form] = Form.useForm<{ name: string; shared?: boolean }>();
  const key = ['views', feature];
  const views = useQuery({ queryKey: key, queryFn: () => ok(api.GET('/v1/views', { params: { query: { feature } } })) }).data?.items ?? [];
  const add = useWrite((body: AddViewAddInBody, k) => ok(api.POST('/v1/views', { body, params: { header: { 'Idempotency-Key': k } } })), { invalidates: [key], onSuccess: () => setNaming(false) });
  const remove = useWrite((id: string, k) => ok(api.DELETE('/v1/views/{id}', { params: { path: { id }, header: { 'Idempotency-Key': k } } })), { invalidates: [key] });
  const here = normal(params.toString());
  const at = views.find((v) => normal(v.query) === here);
  const go = (query: string) => void navigate({ search: query });
  const drop = (v: DeskView) => modal.confirm({ title: t('views.dropTitle', { name: v.name }), content: v.shared ? t('views.dropShared') : t('views.dropText'), okText: t('views.drop'), okButtonProps: { danger: true }, cancelText: t('views.keep'), onOk: () => remove.mutateAsync(v.id) });
  return (
    <nav className={styles.row} aria-label={t('views.name')}>
      <button type="button" className={styles.view} aria-current={here === '' || undefined} onClick={() => go('')}>{t('views.all')}</button>
      {views.map((v) => (
        <span key={v.id} className={styles.one}>
          <button type="button" className={styles.view} aria-current={v === at || undefined} title={v.shared ? t('views.sharedOne') : undefined} onClick={() => go(v.query)}>
            {v.shared && <Icon name="members" size={16} />}{v.name}
          </button>
          {v === at && v.own && (
            <Dropdown trigger={['click']} menu={{ items: [{ key: 'drop', danger: true, label: t('views.drop'), onClick: () => drop(v) }] }}>
              <Button type="text" size="small" icon={<Icon name="down" size={14} />} aria-label={t('views.more', { name: v.name })} />
            </Dropdown>
          )}
        </span>
      ))}
      {here !== '' && !at && <button type="button" className="word" onClick={() => setNaming(true)}>{t('views.save')}</button>}
      <Modal open={naming} title={t('views.saveTitle')} okText={t('views.saveAct')} cancelText={t('views.cancel')} okButtonProps={{ loading: add.isPending }} onOk={() => form.submit()} onCancel={() => setNaming(false)} afterClose={() => { form.resetFields(); add.reset(); }} width={420}>
        <ProblemForm form={form} error={add.error} onFinish={({ name, shared }) => add.mutate({ feature, name: name.trim(), query: here, shared: shared ?? false })}>
          <Form.Item name="name" label={t('views.label')} rules={[{ required: true, whitespace: true, message: t('views.needed') }]}><Input maxLength={60} autoComplete="off" /></Form.Item>
          <Form.Item name="shared" valuePropName="checked" style={{ marginBottom: 0 }}><Checkbox>{t('views.shared')}</Checkbox></Form.Item>
        </ProblemForm>
      </Modal>
    </nav>
  );
}

/** The same filters in the same order, without the place in the list. */
function normal(query: string): string {
  const params = new URLSearchParams(query);
  params.delete(cursorParam);
  params.sort();
  return params.toString();
}
