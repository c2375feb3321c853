import { api, ok } from '@patron/shared/api/client.ts';
import type { AddTaskInBody, MemberTaskView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { Button, DatePicker, Form, Input, Modal, Select, Tabs } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useColleagues } from '../../frame/lookups.ts';
import { useCan, useMe } from '../../frame/me.ts';
import { useFilters } from '../../ui/filters.ts';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { keyOf, type Member } from './api.ts';
import { More, useMore } from './more.tsx';
import styles from './part.module.css';
import { useWho } from './who.ts';

interface Values {
  title: string;
  owner?: string;
  due: Dayjs;
  remind?: Dayjs;
  text?: string;
}

/** What is to be done for the member: who, until when, and what came of it. */
export function TasksPart({ member }: { member: Member }) {
  const { t } = useTranslation('member');
  const can = useCan();
  const filters = useFilters(['state'] as const);
  const state = filters.values.state === 'done' ? 'done' : 'open';
  const [editing, setEditing] = useState<MemberTaskView | 'new'>();
  const list = useMore([...keyOf(member.id), 'tasks', state], (cursor) => ok(api.GET('/v1/members/{ref}/tasks', { params: { path: { ref: member.id }, query: { state, cursor, limit: 30 } } })));
  const may = can('members.write') && !member.erased_at;
  return (
    <>
      <div className={styles.bar}>
        <Tabs
          size="small"
          activeKey={state}
          onChange={(next) => filters.set({ state: next === 'open' ? undefined : next })}
          items={(['open', 'done'] as const).map((key) => ({ key, label: t(`tasks.state.${key}`) }))}
        />
        {may && <Button size="small" onClick={() => setEditing('new')}>{t('tasks.open')}</Button>}
      </div>
      <More list={list} empty={t(`tasks.empty.${state}`)}>{(rows) => <ul className={styles.list}>{rows.map((task) => <Task key={task.id} task={task} may={may} onEdit={() => setEditing(task)} />)}</ul>}</More>
      <TaskDialog member={member} task={editing} onClose={() => setEditing(undefined)} />
    </>
  );
}

export function Task({ task, may, onEdit }: { task: MemberTaskView; may: boolean; onEdit?: () => void }) {
  const { t } = useTranslation('member');
  const who = useWho();
  const [closing, setClosing] = useState(false);
  const [form] = Form.useForm<{ outcome: string }>();
  const key = keyOf(task.member_id);
  const invalidates = [[...key, 'tasks'], [...key, 'timeline'], [...key, 'recent'], ['attention']];
  const close = useWrite((outcome: string, k) => ok(api.POST('/v1/tasks/{id}/close', { body: { outcome }, params: { path: { id: task.id }, header: { 'Idempotency-Key': k } } })), { invalidates, onSuccess: () => setClosing(false) });
  const reopen = useWrite((id: string, k) => ok(api.POST('/v1/tasks/{id}/reopen', { params: { path: { id }, header: { 'Idempotency-Key': k } } })), { invalidates });
  return (
    <li className={task.state === 'done' ? styles.done : undefined}>
      <div>
        <p className={styles.text} style={{ fontWeight: 500 }}>{task.title}</p>
        {onEdit && task.text && <p className="quiet">{task.text}</p>}
        {task.state === 'done' && task.outcome && <p>{task.outcome}</p>}
      </div>
      <p className={styles.meta}>
        {task.overdue && <StatusTag tone="warning" icon="clock">{t('tasks.overdue')}</StatusTag>}
        <span>{task.owner ? who(task.owner) : t('tasks.nobody')}</span>
        {task.state === 'open' ? <span>{t('tasks.due')} <When at={task.due_at} as={task.due_day ? 'deadline' : 'when'} /></span> : task.done_at && <span>{who(task.done_by)} <When at={task.done_at} /></span>}
        {onEdit && task.state === 'open' && task.remind_at && <span>{t('tasks.reminds')} <When at={task.remind_at} /></span>}
      </p>
      {may && (
        <div className={styles.acts}>
          {task.state === 'open' ? (
            <>
              {onEdit && <Button size="small" type="text" onClick={onEdit}>{t('edit.open')}</Button>}
              <Button size="small" onClick={() => setClosing(true)}>{t('tasks.done')}</Button>
            </>
          ) : <Button size="small" type="text" loading={reopen.isPending} onClick={() => reopen.mutate(task.id)}>{t('tasks.reopen')}</Button>}
        </div>
      )}
      {reopen.error && <ProblemAlert error={reopen.error} />}
      <Modal open={closing} title={t('tasks.closeTitle', { title: task.title })} okText={t('tasks.closeAct')} cancelText={t('tasks.closeCancel')} okButtonProps={{ loading: close.isPending }} onOk={() => form.submit()} onCancel={() => setClosing(false)} afterClose={() => form.resetFields()} width={460}>
        <ProblemForm form={form} error={close.error} onFinish={({ outcome }) => close.mutate(outcome.trim())}>
          <Form.Item name="outcome" label={t('tasks.outcome')} rules={[{ required: true, whitespace: true, message: t('tasks.outcomeNeeded') }]} style={{ marginBottom: 8 }}>
            <Input.TextArea autoSize={{ minRows: 2, maxRows: 5 }} maxLength={500} />
          </Form.Item>
        </ProblemForm>
      </Modal>
    </li>
  );
}

function TaskDialog({ member, task, onClose }: { member: Member; task: MemberTaskView | 'new' | undefined; onClose: () => void }) {
  const { t } = useTranslation('member');
  const me = useMe();
  const colleagues = useColleagues();
  const [form] = Form.useForm<Values>();
  const old = task === 'new' ? undefined : task;
  const key = keyOf(member.id);
  const save = useWrite(
    ({ body, id, version }: { body: AddTaskInBody; id?: string; version?: number }, k) =>
      id
        ? ok(api.PATCH('/v1/tasks/{id}', { body: { ...body, owner: body.owner || null, remind_at: body.remind_at ?? null, text: body.text ?? null }, params: { path: { id }, header: { 'Idempotency-Key': k, 'If-Match': `"${version}"` } } }))
        : ok(api.POST('/v1/members/{ref}/tasks', { body, params: { path: { ref: member.id }, header: { 'Idempotency-Key': k } } })),
    { invalidates: [[...key, 'tasks'], [...key, 'timeline'], [...key, 'recent'], ['attention']], onSuccess: onClose },
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
