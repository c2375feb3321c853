import { api, ok } from '@patron/shared/api/client.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { StatusTag, type Tone } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQueryClient } from '@tanstack/react-query';
import { Button, Progress } from 'antd';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Page } from '../../frame/page.tsx';
import { useFilters } from '../../ui/filters.ts';
import { KeysetTable, type KeysetColumn } from '../../ui/keyset-table.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { Section } from '../../ui/section.tsx';
import { ViewTabs } from '../../ui/view-tabs.tsx';

const views = ['all', 'running', 'ready', 'failed', 'done', 'cancelled'] as const;
type View = (typeof views)[number];
type State = Exclude<View, 'all'>;

const get = (state: State | undefined, cursor: string | undefined) => ok(api.GET('/v1/jobs', { params: { query: { state, cursor, limit: 50 } } }));
type Job = NonNullable<Awaited<ReturnType<typeof get>>['items']>[number];

const tones: Record<State, Tone> = { ready: 'info', running: 'primary', done: 'success', failed: 'error', cancelled: 'plain' };

/** What runs in the background, what failed and why. A failed job can be tried again. */
export default function JobsPage() {
  const { t } = useTranslation('system');
  const client = useQueryClient();
  const filters = useFilters(['state'] as const);
  const view = (filters.values.state ?? 'all') as View;
  const state = view === 'all' ? undefined : view;
  useEffect(() => { // a progress that stands still says nothing
    const timer = setInterval(() => void client.invalidateQueries({ queryKey: ['jobs'] }), 5000);
    return () => clearInterval(timer);
  }, [client]);
  const act = useWrite(
    ({ id, what }: { id: string; what: 'retry' | 'cancel' }, key) => ok(api.POST(`/v1/jobs/{id}/${what}`, { params: { path: { id }, header: { 'Idempotency-Key': key } } })),
    { invalidates: [['jobs'], ['attention']] },
  );
  const columns: KeysetColumn<Job>[] = [
    { key: 'kind', title: t('jobs.kind'), render: (_, j) => <>{j.kind}{j.note && !j.note.startsWith('{') && <div className="quiet">{j.note}</div>}</> },
    { key: 'state', title: t('jobs.state'), render: (_, j) => <StatusTag tone={tones[j.state]}>{t(`jobs.states.${j.state}`)}</StatusTag> },
    {
      key: 'progress',
      title: t('jobs.progress'),
      render: (_, j) => (j.progress_total > 0
        ? <Progress percent={Math.round((100 * j.progress) / j.progress_total)} size="small" style={{ width: 140 }} aria-label={t('jobs.progress')} />
        : j.progress || ''),
    },
    { key: 'created', title: t('jobs.created'), render: (_, j) => <When at={j.created_at} /> },
    { key: 'ended', title: t('jobs.ended'), render: (_, j) => j.ended_at && <When at={j.ended_at} /> },
    { key: 'tries', title: t('jobs.tries'), align: 'right', render: (_, j) => t('jobs.triesOf', { n: j.tries, most: j.max_tries }) },
    { key: 'error', title: t('jobs.error'), render: (_, j) => j.error && <span style={{ whiteSpace: 'normal', display: 'block', maxWidth: 420 }}>{j.error}</span> },
    {
      key: 'act',
      near: true,
      title: t('jobs.act'),
      render: (_, j) => {
        const what = j.state === 'failed' || j.state === 'cancelled' ? 'retry' : j.state === 'ready' || j.state === 'running' ? 'cancel' : undefined;
        return what && <Button size="small" loading={act.isPending && act.variables.id === j.id} onClick={() => act.mutate({ id: j.id, what })}>{what === 'retry' ? t('jobs.retry') : t('jobs.cancel')}</Button>;
      },
    },
  ];
  return (
    <Page title={t('jobs.menu')}>
      <Section>
        <ViewTabs label={t('jobs.state')} value={view} onChange={(next) => filters.set({ state: next === 'all' ? undefined : next })} items={views.map((key) => ({ key, label: key === 'all' ? t('jobs.all') : t(`jobs.states.${key}`) }))} />
        <ProblemAlert error={act.error} />
        <KeysetTable<Job>
          name="jobs"
          queryKey={['jobs', view]}
          fetch={(cursor) => get(state, cursor)}
          columns={columns}
          rowKey={(j) => j.id}
          empty={<Blank drawing="result" title={t('jobs.empty')} text={t('jobs.emptyText')} />}
        />
      </Section>
    </Page>
  );
}
