import { lazy, Suspense, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Icon } from '../ui/icon.tsx';
import styles from './chart-box.module.css';
import type { ChartProps } from './chart.tsx';

const Chart = lazy(() => import('./chart.tsx'));

export interface LegendItem {
  label: string;
  /** A CSS colour: `var(--c1)`. */
  color: string;
  /** How it is drawn: a bar, a tick or line, or hatched. */
  shape?: 'bar' | 'line' | 'hatched';
}

interface Props extends Partial<ChartProps> {
  title: string;
  /** Its unit and as-of time, in third text: `元，今天截至 14:05`. */
  note?: ReactNode;
  legend?: LegendItem[];
  /** What a screen reader says in place of the picture: its one sentence. */
  label: string;
  /** The same figures to read: a head and rows, the first column being what the others are of. */
  table: { head: string[]; rows: ReactNode[][] };
  option: ChartProps['option'];
}

/** A chart with its legend, in the colours of the theme, and the same figures as a table behind a button. */
export function ChartBox({ title, note, legend = [], label, table, option, height = 220 }: Props) {
  const { t } = useTranslation('ui');
  const [asTable, setAsTable] = useState(false);
  return (
    <figure className={styles.box}>
      <figcaption className={styles.head}>
        <h2>{title}</h2>
        {note && <span className={styles.note}>{note}</span>}
        <ul className={styles.legend}>
          {legend.map((item) => <li key={item.label}><i className={styles[item.shape ?? 'bar']} style={{ color: item.color }} />{item.label}</li>)}
        </ul>
        <button type="button" className={styles.switch} aria-pressed={asTable} title={t('chart.table')} aria-label={t('chart.tableOf', { title })} onClick={() => setAsTable(!asTable)}>
          <Icon name={asTable ? 'chart' : 'table'} size={18} />
        </button>
      </figcaption>
      {asTable ? (
        // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reached by keyboard
        <div className={styles.scroll} style={{ maxHeight: height }} role="region" aria-label={title} tabIndex={0}>
          <table className={styles.table}>
            <thead><tr>{table.head.map((h) => <th key={h} scope="col">{h}</th>)}</tr></thead>
            <tbody>
              {table.rows.map((row, i) => (
                <tr key={i}>{row.map((cell, j) => (j === 0 ? <th key={j} scope="row">{cell}</th> : <td key={j}>{cell}</td>))}</tr>
              ))}
            </tbody>
          </table>
        </div>
      ) : (
        <div role="img" aria-label={label} style={{ height }}>
          <Suspense fallback={null}><Chart option={option} height={height} /></Suspense>
        </div>
      )}
    </figure>
  );
}
