import { api, ok } from '@patron/shared/api/client.ts';
import type { IntakeView, StartImportStartInBody } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, Progress, Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useParams } from 'react-router';
import { Page } from '../../frame/page.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { Section } from '../../ui/section.tsx';
import { ErrorState, NotFoundState } from '../../ui/states.tsx';
import { importKey, importQuery, type Kind } from './api.ts';
import { ErrorRows } from './error-table.tsx';
import styles from './import-page.module.css';
import { MappingStep } from './mapping-step.tsx';
import { ImportState } from './state.tsx';

/** Where what came in is to be seen; events are on their members' pages. */
const pages: Partial<Record<Kind, string>> = { members: '/members', sales: '/sales', products: '/products', balances: '/points' };

/** One file on its way in: what its columns mean, a trial, how far it is, what came of it. */
export default function ImportPage() {
  const { t } = useTranslation('connect');
  const { id = '' } = useParams();
  const navigate = useNavigate();
  const [removing, setRemoving] = useState(false);
  const one = useQuery(importQuery(id));
  const it = one.data;
  const invalidates = [importKey(id), ['imports'], ['jobs'], ['members'], ['sales'], ['products']];
  const start = useWrite((body: StartImportStartInBody, key) => ok(api.POST('/v1/imports/{id}/start', { body, params: { path: { id }, header: { 'Idempotency-Key': key } } })), { invalidates });
  const act = useWrite((what: 'cancel' | 'resume', key) => ok(api.POST(`/v1/imports/{id}/${what}`, { params: { path: { id }, header: { 'Idempotency-Key': key } } })), { invalidates });
  const remove = useWrite((_: object, key) => ok(api.DELETE('/v1/imports/{id}', { params: { path: { id }, header: { 'Idempotency-Key': key } } })), { invalidates: [['imports']], onSuccess: () => void navigate('/imports') });
  const crumbs = [{ to: '/imports', title: t('menu') }];
  if (!it) {
    return (
      <Page title={t('one')} crumbs={crumbs}>
        <Section>{one.error?.status === 404 ? <NotFoundState /> : one.error ? <ErrorState error={one.error} retry={() => void one.refetch()} /> : <Skeleton active />}</Section>
      </Page>
    );
  }
  const see = pages[it.kind as Kind];
  const runs = it.state === 'started';
  return (
    <Page title={it.name || t(`kinds.${it.kind}`)} crumbs={crumbs} actions={!runs && <Button danger onClick={() => setRemoving(true)}>{t('remove.open')}</Button>}>
      {it.state !== 'uploaded' && (
        <Section title={t(runs ? 'running.title' : it.dry_run ? 'tried.title' : 'result.title')} note={<ImportState it={it} />}>
          <ProblemAlert error={act.error} />
          {runs && <Running it={it} />}
          <Counts it={it} />
          {it.state === 'failed' && <p className="lead">{it.error || t('failedText')}</p>}
          {it.state === 'cancelled' && <p className="lead">{t('cancelledText')}</p>}
          {it.errors && <ErrorRows id={id} done={it.done_at ?? ''} />}
          <p className={styles.go}>
            {runs && <Button loading={act.isPending} onClick={() => act.mutate('cancel')}>{t('stop')}</Button>}
            {(it.state === 'failed' || it.state === 'cancelled') && <Button loading={act.isPending} onClick={() => act.mutate('resume')}>{t('resume')}</Button>}
            {it.errors && <Button href={`/v1/imports/${id}/errors`} download icon={<Icon name="export" size={18} />}>{t('errors.download')}</Button>}
            {it.state === 'done' && !it.dry_run && see && <Link to={see}><Button>{t('see')}</Button></Link>}
          </p>
        </Section>
      )}
      {/* It stays mounted while a trial runs, so that what was chosen is still there after it. */}
      <div hidden={runs || (it.state === 'done' && !it.dry_run)}>
        <MappingStep it={it} start={start} />
      </div>
      <Section>
        <p className="quiet">{t(`kinds.${it.kind}`)} · {t('until')} <When at={it.until} /></p>
      </Section>
      <ConfirmDialog
        open={removing}
        title={t('remove.title')}
        act={t('remove.act')}
        cancel={t('cancel')}
        danger
        pending={remove.isPending}
        error={remove.error}
        onOk={() => remove.mutate({})}
        onCancel={() => setRemoving(false)}
      >
        <p>{t('remove.text')}</p>
      </ConfirmDialog>
    </Page>
  );
}

function Running({ it }: { it: IntakeView }) {
  const { t } = useTranslation('connect');
  const share = it.progress_total > 0 ? Math.min(99, Math.floor((100 * it.progress) / it.progress_total)) : 0;
  return (
    <div role="status" style={{ maxWidth: 560 }}>
      <Progress percent={share} status="active" aria-label={t('running.title')} />
      <p className="quiet">{t('running.text')}</p>
    </div>
  );
}

/** What became of the rows: taken, refused, known already. */
function Counts({ it }: { it: IntakeView }) {
  const { t } = useTranslation('connect');
  const { count } = useFormat();
  const r = it.report;
  const shown = (['lines', 'taken', 'refused', 'repeated', 'parked', 'sales', 'returns', 'members_created'] as const).filter((k) => k === 'lines' || k === 'taken' || k === 'refused' || r[k] > 0);
  return (
    <>
      <dl className={styles.counts}>
        {shown.map((k) => <div key={k}><dt>{it.dry_run && k === 'taken' ? t('count.readable') : t(`count.${k}`)}</dt><dd>{count(r[k])}</dd></div>)}
      </dl>
      {it.dry_run && it.state === 'done' && <p className="lead">{t('tried.text')}</p>}
    </>
  );
}
