import type { ReactNode } from 'react';
import styles from './section.module.css';

interface Props {
  title?: string;
  /** Beside the title, in third text. */
  note?: ReactNode;
  /** At the right end of the head: words, not filled buttons. */
  extra?: ReactNode;
  children: ReactNode;
}

/** A part of the sheet. A hairline stands between two; there are no cards, and none inside one. */
export function Section({ title, note, extra, children }: Props) {
  return (
    <section className={styles.section}>
      {title && (
        <header className={styles.head}>
          <h2>{title}</h2>
          {note && <span className={styles.note}>{note}</span>}
          {extra && <div className={styles.extra}>{extra}</div>}
        </header>
      )}
      {children}
    </section>
  );
}

/** Main part and aside, which drops under it at 1200. Each may hold several sections. */
export function WithAside({ children, aside, width = 356 }: { children: ReactNode; aside: ReactNode; width?: number }) {
  return (
    <div className={styles.cols} style={{ '--aside': `${width}px` } as React.CSSProperties}>
      <div className={styles.main}>{children}</div>
      <aside className={styles.aside}>{aside}</aside>
    </div>
  );
}
