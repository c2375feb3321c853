import { Icon } from '@patron/shared/ui/icon.tsx';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import styles from './change-list.module.css';

export interface Change {
  label: string;
  before: ReactNode;
  after: ReactNode;
}

/** What an act changes: 可用积分, 2,480 → 2,680. */
export function ChangeList({ changes }: { changes: Change[] }) {
  const { t } = useTranslation('ui');
  if (changes.length === 0) return null;
  return (
    <dl className={styles.change}>
      {changes.map((c) => (
        <div key={c.label}>
          <dt>{c.label}</dt>
          <dd>{c.before} <Icon name="right" size={14} /><span className="visually-hidden">{t('reason.becomes')}</span> <b>{c.after}</b></dd>
        </div>
      ))}
    </dl>
  );
}
