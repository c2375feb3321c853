import type { ReactNode } from 'react';
import styles from './blank.module.css';
import { Drawing, type DrawingName } from './drawing.tsx';

interface Props {
  drawing: DrawingName;
  /** What it is: 还没有会员. */
  title: string;
  /** What to do about it, in a sentence. */
  text?: ReactNode;
  /** One act. */
  action?: ReactNode;
}

/** A page, or a part of one, with nothing to show: a drawing, what it is, one act. */
export function Blank({ drawing, title, text, action }: Props) {
  return (
    <div className={styles.blank}>
      <Drawing name={drawing} />
      <h2 className={styles.title}>{title}</h2>
      {text && <p className={styles.text}>{text}</p>}
      {action && <div className={styles.action}>{action}</div>}
    </div>
  );
}
