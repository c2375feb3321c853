import { api, ok } from '@patron/shared/api/client.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { browserOf } from './browser.ts';
import styles from './sessions.module.css';

/** Where one is signed in, newest first, with a way to end each. */
export function Sessions() {
  const { t } = useTranslation('account');
  const list = useQuery({ queryKey: ['sessions'], queryFn: () => ok(api.GET('/v1/sessions')) });
  const end = useWrite((id: string, key) => ok(api.DELETE('/v1/sessions/{id}', { params: { path: { id }, header: { 'Idempotency-Key': key } } })), {
    invalidates: [['sessions'], ['me']], // me: this browser's own may be the one
  });
  if (list.error) return <ErrorState error={list.error} retry={() => void list.refetch()} />;
  return (
    <>
      <ProblemAlert error={end.error} />
      <ul className={styles.list} aria-busy={list.isPending}>
        {list.data?.items?.toReversed().map((s) => (
          <li key={s.id}>
            <div className={styles.what}>
              <b>{browserOf(s.user_agent) || t('sessions.unknown')}</b>
              <span>{s.ip}</span>
            </div>
            <div className={styles.when}>
              <span>{t('sessions.seen')} <When at={s.seen_at} /></span>
              <span>{t('sessions.started')} <When at={s.started_at} /></span>
            </div>
            <Button size="small" loading={end.isPending && end.variables === s.id} onClick={() => end.mutate(s.id)} aria-label={t('sessions.endOf', { browser: browserOf(s.user_agent) })}>
              {t('sessions.end')}
            </Button>
          </li>
        ))}
      </ul>
    </>
  );
}
