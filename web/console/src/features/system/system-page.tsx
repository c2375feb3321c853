import { api, ok } from '@patron/shared/api/client.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { App, Button, Skeleton } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Page } from '../../frame/page.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { Section, WithAside } from '../../ui/section.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { WideTable } from '../../ui/wide-table.tsx';
import styles from './system-page.module.css';

/** How the program is: its version and disk, whether its books add up, and its backups. */
export default function SystemPage() {
  const { t } = useTranslation('system');
  const { count } = useFormat();
  const { message } = App.useApp();
  const size = useSize();
  const system = useQuery({ queryKey: ['system'], queryFn: () => ok(api.GET('/v1/system')), refetchInterval: 30_000 });
  const backups = useQuery({ queryKey: ['backups'], queryFn: () => ok(api.GET('/v1/backups')), refetchInterval: 30_000 });
  const begun = { invalidates: [['jobs']], onSuccess: () => void message.success(t('begun')) };
  const back = useWrite((_: undefined, key) => ok(api.POST('/v1/backups', { params: { header: { 'Idempotency-Key': key } } })), begun);
  const verify = useWrite((_: undefined, key) => ok(api.POST('/v1/system/verify', { params: { header: { 'Idempotency-Key': key } } })), begun);

  const actions = <><Button loading={verify.isPending} onClick={() => verify.mutate(undefined)}>{t('verify.act')}</Button><Button type="primary" loading={back.isPending} onClick={() => back.mutate(undefined)}>{t('backup.act')}</Button></>;

  if (system.error) return <Page title={t('menu')}><Section><ErrorState error={system.error} retry={() => void system.refetch()} /></Section></Page>;
  const s = system.data;
  if (!s || backups.isPending) return <Page title={t('menu')} actions={actions}><Section><Skeleton active /></Section></Page>; // all at once: parts that come one by one push each other down
  const fact = (label: string, value: ReactNode, note?: ReactNode) => <div><dt>{label}</dt><dd>{value}</dd>{note && <dd className="quiet">{note}</dd>}</div>;
  return (
    <Page title={t('menu')} actions={actions}>
      <WithAside
        aside={
          <Section title={t('verify.title')}>
            {!s.last_verify ? <p className="lead">{t('verify.never')}</p> : (
              <>
                <p>{s.last_verify.findings === 0 ? <StatusTag tone="success">{t('verify.good')}</StatusTag> : <StatusTag tone="error">{t('verify.bad', { n: s.last_verify.findings })}</StatusTag>}</p>
                {s.last_verify.first && <p className="lead">{s.last_verify.first}</p>}
                <p className="quiet"><When at={s.last_verify.at} /></p>
                <p className="quiet">{t('verify.head')}</p>
                <code className={styles.head}>{s.last_verify.audit_head}</code>
              </>
            )}
          </Section>
        }
      >
        <Section>
          <ProblemAlert error={back.error ?? verify.error} />
          <dl className={styles.facts}>
            {fact(t('version'), s.version)}
            {fact(t('engine'), s.engine === 'sqlite' ? 'SQLite' : 'PostgreSQL')}
            {fact(t('database'), size(s.database_bytes))}
            {fact(t('disk'), t('diskOf', { free: size(s.disk_free_bytes), all: size(s.disk_bytes) }))}
            {fact(t('waiting'), count(s.waiting), t('lag', { ms: count(s.lag_ms) }))}
            {fact(t('commands'), count(s.commands), t('batches', { n: count(s.batches) }))}
          </dl>
        </Section>
        <Section title={t('backup.title')} note={t('backup.note')}>
          {backups.error ? <ErrorState error={backups.error} retry={() => void backups.refetch()} /> : (backups.data.items?.length ?? 0) === 0 ? (
            <Blank drawing="result" title={t('backup.none')} text={t('backup.noneText')} />
          ) : (
            <WideTable
              rowKey="name"
              dataSource={backups.data.items ?? []}
              columns={[
                { title: t('backup.name'), dataIndex: 'name' },
                { title: t('backup.made'), render: (_, b) => <When at={b.made_at} /> },
                { title: t('backup.state'), render: (_, b) => (b.error ? <StatusTag tone="error">{b.error}</StatusTag> : b.verified ? <StatusTag tone="success">{t('backup.verified')}</StatusTag> : <StatusTag tone="warning">{t('backup.unverified')}</StatusTag>) },
                { title: t('backup.members'), align: 'right', render: (_, b) => count(b.members) },
                { title: t('backup.entries'), align: 'right', render: (_, b) => count(b.entries) },
                { title: t('backup.size'), align: 'right', render: (_, b) => size(b.bytes) },
              ]}
            />
          )}
        </Section>
      </WithAside>
    </Page>
  );
}

/** A number of bytes in the unit that suits it. */
function useSize() {
  const { language } = useFormat();
  return (bytes: number) => {
    const units = ['byte', 'kilobyte', 'megabyte', 'gigabyte', 'terabyte'] as const;
    const step = bytes > 0 ? Math.min(units.length - 1, Math.floor(Math.log10(bytes) / 3)) : 0;
    return new Intl.NumberFormat(language, { style: 'unit', unit: units[step], unitDisplay: 'short', maximumFractionDigits: step > 1 ? 1 : 0 }).format(bytes / 1000 ** step);
  };
}
