import type { ReactNode } from 'react';
import styles from './ticket.module.css';
import type { Stub } from './words.ts';

interface Props {
  stub: Stub;
  title: ReactNode;
  /** What it is for, and what it goes with. */
  lines?: ReactNode[];
  /** Until when; at the left of the foot. */
  foot?: ReactNode;
  /** One act, or the word that stands in its place. */
  act?: ReactNode;
  /** Used, over, gone: the stub is grey. */
  off?: boolean;
  /** What the notches show: the ground under the ticket. */
  ground?: string;
}

/** A coupon as members see it: the stub with what it is worth, torn along the dashes, and the terms. */
export function Ticket({ stub, title, lines = [], foot, act, off, ground }: Props) {
  const length = stub.figure.length + (stub.after?.length ?? 0);
  return (
    <article className={off ? `${styles.ticket} ${styles.off}` : styles.ticket} style={ground ? ({ '--ground': ground } as React.CSSProperties) : undefined}>
      <div className={styles.stub}>
        <b className={stub.words || length > 6 ? styles.words : undefined}>
          {stub.before && <i>{stub.before}</i>}{stub.figure}{stub.after && <i> {stub.after}</i>}
        </b>
        {stub.under && <span>{stub.under}</span>}
      </div>
      <div className={styles.body}>
        <h3>{title}</h3>
        {lines.map((line, i) => <p key={i}>{line}</p>)}
        {(foot || act) && <div className={styles.foot}><span>{foot}</span>{act}</div>}
      </div>
    </article>
  );
}
