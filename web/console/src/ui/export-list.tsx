import { api, ok } from '@patron/shared/api/client.ts';
import type { AskExportAskInBody } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, Checkbox, Form, Modal, Progress, Radio, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useCan } from '../frame/me.ts';
import { ProblemForm } from './problem-form.tsx';

interface Props {
  /** As /v1/exports/lists names it. */
  list: string;
  /** What the page is filtered by; what the list cannot be filtered by is left out. */
  filter: Record<string, string | undefined>;
}

interface Values {
  format: AskExportAskInBody['format'];
  encoding: AskExportAskInBody['encoding'];
  columns: string[];
}

/** Writes what a list shows to a file in the background: format, columns, how far it is, and the file. */
export function ExportList({ list, filter }: Props) {
  const { t, i18n } = useTranslation('frame');
  const { count } = useFormat();
  const can = useCan();
  const [open, setOpen] = useState(false);
  const [id, setId] = useState<string>();
  const [form] = Form.useForm<Values>();
  const format = Form.useWatch('format', form);
  const lists = useQuery({ queryKey: ['export-lists'], queryFn: () => ok(api.GET('/v1/exports/lists')), staleTime: Infinity, enabled: open });
  const what = lists.data?.items?.find((l) => l.name === list);
  const ask = useWrite((body: AskExportAskInBody, key) => ok(api.POST('/v1/exports', { body, params: { header: { 'Idempotency-Key': key } } })), {
    invalidates: [['exports']],
    onSuccess: (made) => setId(made.id),
  });
  const one = useQuery({
    queryKey: ['export', id],
    queryFn: () => ok(api.GET('/v1/exports/{id}', { params: { path: { id: id! } } })),
    enabled: id !== undefined,
    refetchInterval: ({ state }) => (state.data && state.data.state !== 'ready' && state.data.state !== 'running' ? false : 700),
  }).data;
  if (!can('lists.export')) return null;
  const done = one?.state === 'done';
  const over = done || one?.state === 'failed' || one?.state === 'cancelled';
  const asked = Object.fromEntries(Object.entries(filter).filter(([name, value]) => value && what?.filters?.includes(name))) as Record<string, string>;
  const close = () => setOpen(false);
  return (
    <>
      <Button icon={<Icon name="export" size={18} />} onClick={() => setOpen(true)}>{t('export.open')}</Button>
      <Modal
        open={open}
        title={t('export.title')}
        width={480}
        onCancel={close}
        afterClose={() => {
          form.resetFields();
          ask.reset();
          setId(undefined);
        }}
        footer={
          id === undefined
            ? [<Button key="no" onClick={close}>{t('export.cancel')}</Button>, <Button key="go" type="primary" loading={ask.isPending} disabled={!what} onClick={() => form.submit()}>{t('export.act')}</Button>]
            : [
                <Button key="close" onClick={close}>{t('export.close')}</Button>,
                done && <Button key="file" type="primary" href={`/v1/exports/${id}/file`} download icon={<Icon name="export" size={18} />}>{t('export.download')}</Button>,
              ]
        }
      >
        {id === undefined ? (
          <ProblemForm
            form={form}
            error={ask.error ?? lists.error}
            initialValues={{ format: 'xlsx', encoding: 'utf-8' }}
            onFinish={(v) => ask.mutate({ list, filter: asked, format: v.format, encoding: v.encoding ?? 'utf-8', columns: v.columns })}
          >
            <p className="lead">{t(Object.keys(asked).length ? 'export.leadFiltered' : 'export.lead')}</p>
            <Form.Item name="format" label={t('export.format')}>
              <Radio.Group options={[{ value: 'xlsx', label: 'Excel (XLSX)' }, { value: 'csv', label: 'CSV' }]} />
            </Form.Item>
            {format === 'csv' && (
              <Form.Item name="encoding" label={t('export.encoding')}>
                <Select options={[{ value: 'utf-8', label: 'UTF-8' }, { value: 'gb18030', label: 'GB18030' }]} style={{ width: 200 }} />
              </Form.Item>
            )}
            {what && (
              <Form.Item name="columns" label={t('export.columns')} initialValue={what.columns?.map((c) => c.name)} rules={[{ validator: (_, v?: string[]) => (v?.length ? Promise.resolve() : Promise.reject(new Error(t('export.columnsNeeded')))) }]} style={{ marginBottom: 0 }}>
                <Checkbox.Group style={{ display: 'grid', gridTemplateColumns: 'repeat(3, 1fr)', gap: 8 }} options={what.columns?.map((c) => ({ value: c.name, label: i18n.language === 'zh-CN' ? c.label_zh : c.label_en }))} />
              </Form.Item>
            )}
          </ProblemForm>
        ) : (
          <div role="status">
            <Progress percent={over ? 100 : 0} status={one?.state === 'failed' ? 'exception' : done ? 'success' : 'active'} showInfo={false} />
            <p>{t(`export.state.${one?.state ?? 'ready'}`, { rows: count(done ? one.rows : (one?.progress ?? 0)) })}</p>
            {done && <p className="quiet">{t('export.until')} <When at={one.until} /></p>}
            {one?.error && <p className="quiet">{one.error}</p>}
          </div>
        )}
      </Modal>
    </>
  );
}
