import { api, ok } from '@patron/shared/api/client.ts';
import type { MemberTaskView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { Button, Segmented, Select } from 'antd';
import dayjs from 'dayjs';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useActors, useColleagues } from '../../frame/lookups.ts';
import { useCan, useMe } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { useFilters } from '../../ui/filters.ts';
import { KeysetTable, type KeysetColumn } from '../../ui/keyset-table.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { Section } from '../../ui/section.tsx';
import { ViewTabs } from '../../ui/view-tabs.tsx';
import { CloseTask, TaskDialog } from './task-dialogs.tsx';
import styles from './tasks-page.module.css';

/** Of the open tasks: all, what is due by the end of today, what should be done already; and what is done. */
const views = ['open', 'today', 'overdue', 'done'] as const;
type View = (typeof views)[number];

/** What is to be done, over all members, what is due first. One's own unless another is chosen. */
export default function TasksPage() {
  const { t } = useTranslation('member');
  const can = useCan();
  const me = useMe();
  const who = useActors();
  const colleagues = useColleagues();
  const filters = useFilters(['owner', 'due', 'state'] as const);
  const owner = filters.values.owner ?? 'me';
  const view: View = filters.values.state === 'done' ? 'done' : filters.values.due === 'now' ? 'overdue' : filters.values.due === 'today' ? 'today' : 'open';
  const [closing, setClosing] = useState<MemberTaskView>();
  const [editing, setEditing] = useState<MemberTaskView>();
  const reopen = useWrite((task: MemberTaskView, key) => ok(api.POST('/v1/tasks/{id}/reopen', { params: { path: { id: task.id }, header: { 'Idempotency-Key': key } } })), { invalidates: [['tasks'], ['member'], ['attention']] });
  const query = {
    owner: owner === 'all' ? undefined : owner,
    state: view === 'done' ? ('done' as const) : ('open' as const),
    overdue: view === 'overdue' || undefined,
    // A day's tasks are due at the first instant of the next one.
    due_before: view === 'today' ? dayjs().add(1, 'day').format('YYYY-MM-DD[T]00:00:01') : undefined,
  };
  const may = can('members.write');
  const columns: KeysetColumn<MemberTaskView>[] = [
    {
      key: 'what',
      title: t('tasks.what'),
      render: (_, k) => (
        <div className={styles.what}>
          <Link to={`/members/${k.member_id}/tasks${view === 'done' ? '?state=done' : ''}`}>{k.title || t('tasks.erased')}</Link>
          {(k.outcome && view === 'done' ? k.outcome : k.text) && <p className="quiet">{view === 'done' ? k.outcome : k.text}</p>}
        </div>
      ),
    },
    { key: 'member', title: t('one'), render: (_, k) => <Link to={`/members/${k.member_id}`}>{k.member_name || t('unnamed')}</Link> },
    { key: 'owner', title: t('tasks.owner'), render: (_, k) => (k.owner === me.id ? t('tasks.myself') : k.owner ? who(k.owner) : <span className="quiet">{t('tasks.nobody')}</span>) },
    view === 'done'
      ? { key: 'done', title: t('tasks.doneAt'), render: (_, k) => k.done_at && <><When at={k.done_at} /> <span className="quiet">{who(k.done_by)}</span></> }
      : { key: 'due', title: t('tasks.dueOn'), render: (_, k) => <><When at={k.due_at} as={k.due_day ? 'deadline' : 'when'} /> {k.overdue && <StatusTag tone="warning" icon="clock">{t('tasks.overdue')}</StatusTag>}</> },
    ...(may
      ? [{
          key: 'act',
          near: true,
          title: t('tasks.acts'),
          align: 'right' as const,
          render: (_: unknown, k: MemberTaskView) =>
            k.state === 'done' ? <Button size="small" loading={reopen.isPending && reopen.variables.id === k.id} onClick={() => reopen.mutate(k)}>{t('tasks.reopen')}</Button> : (
              <span className={styles.acts}>
                <Button size="small" type="text" onClick={() => setEditing(k)}>{t('edit.open')}</Button>
                <Button size="small" onClick={() => setClosing(k)}>{t('tasks.done')}</Button>
              </span>
            ),
        }]
      : []),
  ];
  const others = colleagues.filter((c) => c.id !== me.id);
  return (
    <Page title={t('tasks.menu')}>
      <Section>
        <ViewTabs
          label={t('tasks.views')}
          value={view}
          onChange={(next) => filters.set({ state: next === 'done' ? 'done' : undefined, due: next === 'overdue' ? 'now' : next === 'today' ? 'today' : undefined })}
          items={views.map((key) => ({ key, label: t(`tasks.view.${key}`) }))}
        />
        <ProblemAlert error={reopen.error} />
        <KeysetTable<MemberTaskView>
          name="tasks"
          queryKey={['tasks', owner, view]}
          fetch={(cursor) => ok(api.GET('/v1/tasks', { params: { query: { ...query, cursor, limit: 50 } } }))}
          columns={columns}
          rowKey={(k) => k.id}
          filtered={owner !== 'me' || view !== 'open'}
          onClear={filters.clear}
          empty={<Blank drawing="members" title={t('tasks.none')} text={t('tasks.noneText')} />}
          filters={
            <>
              <Segmented
                aria-label={t('tasks.whose')}
                value={owner === 'me' || owner === 'all' || owner === 'nobody' ? owner : ''}
                onChange={(next) => filters.set({ owner: next === 'me' ? undefined : next })}
                options={(['me', 'all', 'nobody'] as const).map((value) => ({ value, label: t(`tasks.of.${value}`) }))}
              />
              {others.length > 0 && (
                <Select
                  allowClear
                  style={{ minWidth: 160 }}
                  placeholder={t('tasks.colleague')}
                  aria-label={t('tasks.colleague')}
                  showSearch={{ optionFilterProp: 'label' }}
                  value={owner.startsWith('stf_') ? owner : undefined}
                  options={others.map((c) => ({ value: c.id, label: c.name }))}
                  onChange={(next?: string) => filters.set({ owner: next })}
                />
              )}
            </>
          }
        />
      </Section>
      {closing && <CloseTask task={closing} open onClose={() => setClosing(undefined)} />}
      <TaskDialog member={editing?.member_id ?? ''} task={editing} onClose={() => setEditing(undefined)} />
    </Page>
  );
}
