import type { ReactNode } from 'react';
import { Icon, type IconName } from './icon.tsx';
import styles from './status-tag.module.css';

export type Tone = 'success' | 'info' | 'warning' | 'error' | 'primary' | 'plain';

/** The icon that goes with a tone where none is said. */
const icons: Record<Tone, IconName> = { success: 'approve', info: 'clock', warning: 'calendar', error: 'warning', primary: 'tier', plain: 'minus' };

interface Props {
  /** success: usable, done. info: pending. warning: expiring, waiting. error: failed. primary: standing. plain: held, off. */
  tone: Tone;
  icon?: IconName;
  children: ReactNode;
}

/** A state: icon, word and colour, so that colour is only the second signal. */
export function StatusTag({ tone, icon = icons[tone], children }: Props) {
  return <span className={`${styles.tag} ${styles[tone]}`}><Icon name={icon} size={14} />{children}</span>;
}
