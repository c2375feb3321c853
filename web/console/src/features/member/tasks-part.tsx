import { api, ok } from '@patron/shared/api/client.ts';
import type { MemberTaskView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { Button, Tabs } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useActors } from '../../frame/lookups.ts';
import { useCan } from '../../frame/me.ts';
import { useFilters } from '../../ui/filters.ts';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { keyOf, type Member } from './api.ts';
import { More, useMore } from './more.tsx';
import styles from './part.module.css';
import { changedByTask, CloseTask, TaskDialog } from './task-dialogs.tsx';

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
      <TaskDialog member={member.id} task={editing} onClose={() => setEditing(undefined)} />
    </>
  );
}

export function Task({ task, may, onEdit }: { task: MemberTaskView; may: boolean; onEdit?: () => void }) {
  const { t } = useTranslation('member');
  const who = useActors();
  const [closing, setClosing] = useState(false);
  const reopen = useWrite((id: string, k) => ok(api.POST('/v1/tasks/{id}/reopen', { params: { path: { id }, header: { 'Idempotency-Key': k } } })), { invalidates: changedByTask(task.member_id) });
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
      <CloseTask task={task} open={closing} onClose={() => setClosing(false)} />
    </li>
  );
}
