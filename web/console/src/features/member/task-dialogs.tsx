import { api, ok } from '@patron/shared/api/client.ts';
import type { AddTaskInBody, MemberTaskView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { DatePicker, Form, Input, Modal, Select } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { useTranslation } from 'react-i18next';
import { useColleagues } from '../../frame/lookups.ts';
import { useMe } from '../../frame/me.ts';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { keyOf } from './api.ts';

/** What shows something else once a task of the member has changed. */
export const changedByTask = (member: string) => [[...keyOf(member), 'tasks'], [...keyOf(member), 'timeline'], [...keyOf(member), 'recent'], ['attention'], ['tasks']];

interface Values {
  title: string;
  owner?: string;
  due: Dayjs;
  remind?: Dayjs;
  text?: string;
}

/** Closes a task with what came of it. */
export function CloseTask({ task, open, onClose }: { task: MemberTaskView; open: boolean; onClose: () => void }) {
  const { t } = useTranslation('member');
  const [form] = Form.useForm<{ outcome: string }>();
  const close = useWrite((outcome: string, k) => ok(api.POST('/v1/tasks/{id}/close', { body: { outcome }, params: { path: { id: task.id }, header: { 'Idempotency-Key': k } } })), { invalidates: changedByTask(task.member_id), onSuccess: onClose });
  return (
    <Modal open={open} title={t('tasks.closeTitle', { title: task.title })} okText={t('tasks.closeAct')} cancelText={t('tasks.closeCancel')} okButtonProps={{ loading: close.isPending }} onOk={() => form.submit()} onCancel={onClose} afterClose={() => form.resetFields()} width={460}>
      <ProblemForm form={form} error={close.error} onFinish={({ outcome }) => close.mutate(outcome.trim())}>
        <Form.Item name="outcome" label={t('tasks.outcome')} rules={[{ required: true, whitespace: true, message: t('tasks.outcomeNeeded') }]} style={{ marginBottom: 8 }}>
          <Input.TextArea autoSize={{ minRows: 2, maxRows: 5 }} maxLength={500} />
        </Form.Item>
      </ProblemForm>
    </Modal>
  );
}

/** Makes a task for a member, or changes one: what, who, until when. */
export function TaskDialog({ member, task, onClose }: { member: string; task: MemberTaskView | 'new' | undefined; onClose: () => void }) {
  const { t } = useTranslation('member');
  const me = useMe();
  const colleagues = useColleagues();
  const [form] = Form.useForm<Values>();
  const old = task === 'new' ? undefined : task;
  const save = useWrite(
    ({ body, id, version }: { body: AddTaskInBody; id?: string; version?: number }, k) =>
      id
        ? ok(api.PATCH('/v1/tasks/{id}', { body: { ...body, owner: body.owner || null, remind_at: body.remind_at ?? null, text: body.text ?? null }, params: { path: { id }, header: { 'Idempotency-Key': k, 'If-Match': `"${version}"` } } }))
        : ok(api.POST('/v1/members/{ref}/tasks', { body, params: { path: { ref: member }, header: { 'Idempotency-Key': k } } })),
    { invalidates: changedByTask(member), onSuccess: onClose },
  );
  const submit = (v: Values) =>
    save.mutate({
      id: old?.id,
      version: old?.version,
      body: { title: v.title.trim(), text: v.text?.trim() || undefined, owner: v.owner ?? '', due: v.due.format('YYYY-MM-DD'), remind_at: v.remind?.format('YYYY-MM-DDTHH:mm') },
    });
  return (
    <Modal
      open={task !== undefined}
      title={old ? t('tasks.changeTitle') : t('tasks.newTitle')}
      okText={old ? t('save') : t('tasks.act')}
      cancelText={t('cancel')}
      okButtonProps={{ loading: save.isPending }}
      onOk={() => form.submit()}
      onCancel={onClose}
      afterOpenChange={(is) => {
        if (!is) {
          form.resetFields();
          save.reset();
        } else if (old) form.setFieldsValue({ title: old.title, text: old.text, owner: old.owner || undefined, due: old.due_day ? dayjs(old.due_day) : dayjs(old.due_at), remind: old.remind_at ? dayjs(old.remind_at) : undefined });
      }}
      width={480}
    >
      <ProblemForm form={form} error={save.error} initialValues={{ owner: me.id, due: dayjs().add(1, 'day') }} onFinish={submit}>
        <Form.Item name="title" label={t('tasks.what')} rules={[{ required: true, whitespace: true, message: t('tasks.needed') }]}><Input maxLength={200} autoComplete="off" /></Form.Item>
        <Form.Item name="owner" label={t('tasks.owner')}>
          <Select allowClear placeholder={t('tasks.nobody')} showSearch={{ optionFilterProp: 'label' }} options={colleagues.map((c) => ({ value: c.id, label: c.id === me.id ? t('tasks.me', { name: c.name || t('tasks.myself') }) : c.name }))} />
        </Form.Item>
        <div style={{ display: 'grid', gridTemplateColumns: '1fr 1fr', gap: '0 16px' }}>
          <Form.Item name="due" label={t('tasks.dueOn')} rules={[{ required: true, message: t('tasks.dueNeeded') }]}><DatePicker allowClear={false} style={{ width: '100%' }} /></Form.Item>
          <Form.Item name="remind" label={t('tasks.remind')}><DatePicker showTime={{ format: 'HH:mm', minuteStep: 15 }} format="YYYY-MM-DD HH:mm" style={{ width: '100%' }} /></Form.Item>
        </div>
        <Form.Item name="text" label={t('tasks.text')} style={{ marginBottom: 8 }}><Input.TextArea autoSize={{ minRows: 2, maxRows: 6 }} maxLength={4000} /></Form.Item>
      </ProblemForm>
    </Modal>
  );
}
