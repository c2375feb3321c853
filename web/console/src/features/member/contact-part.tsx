import { api, ok } from '@patron/shared/api/client.ts';
import type { AddNoteInBody, LogCallInBody, MemberCallView, MemberNoteView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { App, Button, Checkbox, Form, InputNumber, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useActors } from '../../frame/lookups.ts';
import { useCan } from '../../frame/me.ts';
import { useUnsaved } from '../../frame/unsaved.tsx';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { keyOf, type Member } from './api.ts';
import { MentionArea, useMentioned } from './mention-area.tsx';
import { More, useMore } from './more.tsx';
import styles from './part.module.css';

const outcomes = ['reached', 'no_answer', 'busy', 'voicemail', 'wrong_number'] as const;

/** What colleagues wrote down of the member, and the calls with them. Members see neither. */
export function ContactPart({ member }: { member: Member }) {
  return (
    <>
      <Notes member={member} />
      <Calls member={member} />
    </>
  );
}

function Notes({ member }: { member: Member }) {
  const { t } = useTranslation('member');
  const can = useCan();
  const [form] = Form.useForm<AddNoteInBody>();
  const [text, setText] = useState('');
  const mentioned = useMentioned();
  const key = keyOf(member.id);
  const list = useMore([...key, 'notes'], (cursor) => ok(api.GET('/v1/members/{ref}/notes', { params: { path: { ref: member.id }, query: { cursor, limit: 20 } } })));
  const add = useWrite((body: AddNoteInBody, k) => ok(api.POST('/v1/members/{ref}/notes', { body, params: { path: { ref: member.id }, header: { 'Idempotency-Key': k } } })), {
    invalidates: [[...key, 'notes'], [...key, 'timeline'], [...key, 'recent']],
    onSuccess: () => {
      form.resetFields();
      setText('');
    },
  });
  useUnsaved(text.trim() !== '' && !add.isPending);
  const may = can('members.write') && !member.erased_at;
  return (
    <section>
      <div className={styles.head}><h2>{t('notes.title')}</h2><span className="quiet">{t('notes.inner')}</span></div>
      {may && (
        <ProblemForm form={form} error={add.error} className={styles.compose} onValuesChange={(_, all) => setText((all as AddNoteInBody).text ?? '')} onFinish={(v) => add.mutate({ text: v.text.trim(), pinned: v.pinned, mentions: mentioned(v.text) })}>
          <Form.Item name="text" noStyle rules={[{ required: true, whitespace: true, message: t('notes.needed') }]}>
            <MentionArea placeholder={t('notes.placeholder')} label={t('notes.title')} />
          </Form.Item>
          <footer>
            <Form.Item name="pinned" valuePropName="checked" noStyle><Checkbox>{t('notes.pin')}</Checkbox></Form.Item>
            <Button htmlType="submit" loading={add.isPending} disabled={text.trim() === ''}>{t('notes.act')}</Button>
          </footer>
        </ProblemForm>
      )}
      <More list={list} empty={t('notes.empty')}>{(rows) => <ul className={styles.list}>{rows.map((n) => <Note key={n.id} note={n} may={may} />)}</ul>}</More>
    </section>
  );
}

function Note({ note, may }: { note: MemberNoteView; may: boolean }) {
  const { t } = useTranslation('member');
  const who = useActors();
  const { modal } = App.useApp();
  const [editing, setEditing] = useState<string>();
  const mentioned = useMentioned();
  const key = keyOf(note.member_id);
  const change = useWrite(
    (body: { text?: string; pinned?: boolean; mentions?: string[] }, k) => ok(api.PATCH('/v1/notes/{id}', { body, params: { path: { id: note.id }, header: { 'Idempotency-Key': k, 'If-Match': `"${note.version}"` } } })),
    { invalidates: [[...key, 'notes']], onSuccess: () => setEditing(undefined) },
  );
  const remove = useWrite((id: string, k) => ok(api.DELETE('/v1/notes/{id}', { params: { path: { id }, header: { 'Idempotency-Key': k } } })), { invalidates: [[...key, 'notes'], [...key, 'timeline'], [...key, 'recent']] });
  return (
    <li>
      {editing === undefined ? <p className={styles.text}>{note.text}</p> : (
        <div className={styles.compose} style={{ marginTop: 0 }}>
          <MentionArea value={editing} onChange={setEditing} label={t('notes.title')} />
          <footer>
            <Button size="small" onClick={() => setEditing(undefined)}>{t('cancel')}</Button>
            <Button size="small" type="primary" loading={change.isPending} disabled={editing.trim() === ''} onClick={() => change.mutate({ text: editing.trim(), mentions: mentioned(editing)?.filter((id) => !note.mentions?.includes(id)) })}>{t('save')}</Button>
          </footer>
          {change.error && <p role="alert" style={{ color: 'var(--error)' }}>{change.error.message}</p>}
        </div>
      )}
      <p className={styles.meta}>
        {note.pinned && <span style={{ color: 'var(--primary)' }}>{t('notes.pinned')}</span>}
        <span>{who(note.author)}</span>
        <When at={note.at} />
        {note.edited_at && <span>{t('notes.edited')}</span>}
      </p>
      {may && editing === undefined && (
        <div className={styles.acts}>
          <Button size="small" type="text" onClick={() => change.mutate({ pinned: !note.pinned })}>{t(note.pinned ? 'notes.unpin' : 'notes.pinIt')}</Button>
          <Button size="small" type="text" onClick={() => setEditing(note.text)}>{t('edit.open')}</Button>
          <Button size="small" type="text" onClick={() => modal.confirm({ title: t('notes.dropTitle'), content: t('notes.dropText'), okText: t('notes.drop'), okButtonProps: { danger: true }, cancelText: t('keep'), onOk: () => remove.mutateAsync(note.id) })}>{t('notes.drop')}</Button>
        </div>
      )}
    </li>
  );
}

interface CallValues {
  direction: LogCallInBody['direction'];
  outcome: LogCallInBody['outcome'];
  minutes?: number;
  text?: string;
}

function Calls({ member }: { member: Member }) {
  const { t } = useTranslation('member');
  const can = useCan();
  const who = useActors();
  const { modal } = App.useApp();
  const [form] = Form.useForm<CallValues>();
  const [open, setOpen] = useState(false);
  const mentioned = useMentioned();
  const key = keyOf(member.id);
  const list = useMore([...key, 'calls'], (cursor) => ok(api.GET('/v1/members/{ref}/calls', { params: { path: { ref: member.id }, query: { cursor, limit: 20 } } })));
  const changed = [[...key, 'calls'], [...key, 'timeline'], [...key, 'recent']];
  const log = useWrite((body: LogCallInBody, k) => ok(api.POST('/v1/members/{ref}/calls', { body, params: { path: { ref: member.id }, header: { 'Idempotency-Key': k } } })), {
    invalidates: changed,
    onSuccess: () => {
      form.resetFields();
      setOpen(false);
    },
  });
  const remove = useWrite((id: string, k) => ok(api.DELETE('/v1/calls/{id}', { params: { path: { id }, header: { 'Idempotency-Key': k } } })), { invalidates: changed });
  const may = can('members.write') && !member.erased_at;
  const ask = (c: MemberCallView) => modal.confirm({ title: t('calls.dropTitle'), content: t('calls.dropText'), okText: t('notes.drop'), okButtonProps: { danger: true }, cancelText: t('keep'), onOk: () => remove.mutateAsync(c.id) });
  return (
    <section style={{ marginTop: 24 }}>
      <div className={styles.head}><h2>{t('calls.title')}</h2>{may && !open && <Button size="small" onClick={() => setOpen(true)}>{t('calls.open')}</Button>}</div>
      {open && (
        <ProblemForm form={form} error={log.error} className={styles.compose} initialValues={{ direction: 'in', outcome: 'reached' }} onFinish={(v) => log.mutate({ direction: v.direction, outcome: v.outcome, duration_seconds: v.minutes ? Math.round(v.minutes * 60) : undefined, text: v.text?.trim() || undefined, mentions: mentioned(v.text) })}>
          <div style={{ display: 'grid', gridTemplateColumns: 'repeat(auto-fit, minmax(140px, 1fr))', gap: '0 16px' }}>
            <Form.Item name="direction" label={t('calls.direction')} style={{ marginBottom: 8 }}><Select options={(['in', 'out'] as const).map((value) => ({ value, label: t(`calls.way.${value}`) }))} /></Form.Item>
            <Form.Item name="outcome" label={t('calls.result')} style={{ marginBottom: 8 }}><Select options={outcomes.map((value) => ({ value, label: t(`calls.outcome.${value}`) }))} /></Form.Item>
            <Form.Item name="minutes" label={t('calls.minutes')} style={{ marginBottom: 8 }}><InputNumber min={0} max={600} step={0.5} style={{ width: '100%' }} /></Form.Item>
          </div>
          <Form.Item name="text" label={t('calls.text')} style={{ marginBottom: 0 }}><MentionArea placeholder={t('notes.placeholder')} label={t('calls.text')} /></Form.Item>
          <footer style={{ justifyContent: 'flex-end' }}>
            <Button onClick={() => setOpen(false)}>{t('cancel')}</Button>
            <Button htmlType="submit" type="primary" loading={log.isPending}>{t('calls.act')}</Button>
          </footer>
        </ProblemForm>
      )}
      <More list={list} empty={t('calls.empty')}>
        {(rows) => (
          <ul className={styles.list}>
            {rows.map((c) => (
              <li key={c.id}>
                <div>
                  <StatusTag tone={c.outcome === 'reached' ? 'success' : 'plain'} icon="phone">{t(`calls.way.${c.direction}`)}{t('comma')}{t(`calls.outcome.${c.outcome}`)}</StatusTag>
                  {c.text && <p className={`${styles.text} ${styles.line}`}>{c.text}</p>}
                </div>
                <p className={styles.meta}>
                  <span>{who(c.author)}</span>
                  <When at={c.at} />
                  {c.duration_seconds > 0 && <span>{t('calls.lasted', { minutes: Math.max(1, Math.round(c.duration_seconds / 60)) })}</span>}
                </p>
                {may && <div className={styles.acts}><Button size="small" type="text" onClick={() => ask(c)}>{t('notes.drop')}</Button></div>}
              </li>
            ))}
          </ul>
        )}
      </More>
    </section>
  );
}
