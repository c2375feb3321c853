import { api, ok } from '@patron/shared/api/client.ts';
import { Icon, type IconName } from '@patron/shared/ui/icon.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { ErrorState } from '../../ui/states.tsx';
import styles from './attention.module.css';

const icons: Record<string, IconName> = { error: 'warning', warning: 'clock', info: 'info' };

/** What waits for this person, each with the way there. */
export function Attention() {
  const { t } = useTranslation('insight');
  const list = useQuery({ queryKey: ['attention'], queryFn: () => ok(api.GET('/v1/attention')), refetchInterval: 60_000 });
  if (list.isPending) return <Skeleton active title={false} paragraph={{ rows: 4 }} />;
  if (list.error) return <ErrorState error={list.error} retry={() => void list.refetch()} />;
  const items = list.data.items ?? [];
  if (items.length === 0) return <p className={styles.calm}>{t('attention.none')}</p>;
  return (
    <ul className={styles.list}>
      {items.map((it) => (
        <li key={it.key}>
          <span className={styles.icon} data-severity={it.severity}><Icon name={icons[it.severity] ?? 'info'} /></span>
          <span className={styles.what}>{t(it.more ? 'attention.many' : 'attention.some', { title: it.title, n: it.count })}</span>
          {it.link && <Link className={styles.go} to={it.link} aria-label={t('attention.goTo', { title: it.title })}>{t('attention.go')}</Link>}
          <span className={styles.detail}>{it.detail}</span>
          {it.since && <span className={styles.since}>{t('attention.since')} <When at={it.since} /></span>}
        </li>
      ))}
    </ul>
  );
}
