import { api, ok } from '@patron/shared/api/client.ts';
import type { BulkTagFilter, BulkTagInBody } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { Alert, Button, Form, Modal, Progress, Select } from 'antd';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { filled } from './profile-fields.tsx';

interface Props {
  open: boolean;
  /** The chosen; none stands for all that the filter leaves. */
  members: string[];
  filter: BulkTagFilter;
  onClose: (done: boolean) => void;
}

interface Values {
  add?: string[];
  remove?: string[];
}

/** Puts tags on many members and takes others off, in the background; the dialog shows how far it is, and may be closed. */
export function BulkTag({ open, members, filter, onClose }: Props) {
  const { t } = useTranslation('member');
  const { count } = useFormat();
  const client = useQueryClient();
  const [form] = Form.useForm<Values>();
  const [id, setId] = useState<string>();
  const start = useWrite((body: BulkTagInBody, key) => ok(api.POST('/v1/members/bulk-tags', { body, params: { header: { 'Idempotency-Key': key } } })), { onSuccess: (made) => setId(made.id) });
  const job = useQuery({
    queryKey: ['bulk-tag', id],
    queryFn: () => ok(api.GET('/v1/bulk-tags/{id}', { params: { path: { id: id! } } })),
    enabled: id !== undefined,
    refetchInterval: ({ state }) => (state.data && state.data.state !== 'ready' && state.data.state !== 'running' ? false : 800),
  }).data;
  const over = job && job.state !== 'ready' && job.state !== 'running';
  useEffect(() => {
    if (over) void client.invalidateQueries({ queryKey: ['members'] });
  }, [over, client]);
  const options = { mode: 'tags' as const, open: false, suffixIcon: null, tokenSeparators: [',', '，', ' '] };
  return (
    <Modal
      open={open}
      title={members.length ? t('bulk.titleSome', { count: members.length }) : t('bulk.titleAll')}
      onCancel={() => onClose(id !== undefined)}
      afterClose={() => {
        form.resetFields();
        start.reset();
        setId(undefined);
      }}
      width={460}
      footer={
        id === undefined
          ? [<Button key="no" onClick={() => onClose(false)}>{t('bulk.cancel')}</Button>, <Button key="go" type="primary" loading={start.isPending} onClick={() => form.submit()}>{t('bulk.act')}</Button>]
          : [<Button key="close" onClick={() => onClose(true)}>{t('bulk.close')}</Button>]
      }
    >
      {id === undefined ? (
        <ProblemForm form={form} error={start.error} onFinish={(values) => start.mutate({ ...filled(values), ...(members.length ? { members } : { filter: filled(filter) }) })}>
          <Form.Item name="add" label={t('bulk.add')} extra={t('help.tags')}><Select {...options} /></Form.Item>
          <Form.Item name="remove" label={t('bulk.remove')} dependencies={['add']} rules={[({ getFieldValue }) => ({ validator: (_, v?: string[]) => (v?.length || (getFieldValue('add') as string[] | undefined)?.length ? Promise.resolve() : Promise.reject(new Error(t('bulk.needed')))) })]}>
            <Select {...options} />
          </Form.Item>
        </ProblemForm>
      ) : (
        <div role="status">
          <Progress percent={over ? 100 : job?.total ? Math.round((job.members / job.total) * 100) : 0} status={job?.state === 'failed' ? 'exception' : over ? 'success' : 'active'} showInfo={false} />
          <p>{t(`bulk.state.${job?.state ?? 'ready'}`)}</p>
          {job && <p className="quiet">{t('bulk.figures', { looked: count(job.members), changed: count(job.changed), refused: count(job.refused) })}</p>}
          {job?.error && <Alert type="error" showIcon title={job.error} />}
        </div>
      )}
    </Modal>
  );
}
