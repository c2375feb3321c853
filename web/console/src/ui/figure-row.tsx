import { When } from '@patron/shared/ui/when.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { Popover, Skeleton } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import styles from './figure-row.module.css';

export interface Figure {
  key: string;
  name: string;
  /** <Money whole>, <Points>, or a text; undefined while it loads. */
  value: ReactNode;
  /** Against what: `比 4 周前多 ¥47,711（12.7%）`. An arrow and words; never red or green. */
  compare?: { way: 'up' | 'down' | 'same'; text: ReactNode };
  /** One line that is always visible. */
  definition: string;
  /** How it is counted, at length, behind the question mark. */
  how?: ReactNode;
}

interface Props {
  figures: Figure[];
  /** When the figures were true. */
  asOf?: string;
  /** Newer ones are on their way: these stay, dimmed. */
  updating?: boolean;
}

/** Five figures in one ruled row. */
export function FigureRow({ figures, asOf, updating }: Props) {
  const { t } = useTranslation('ui');
  return (
    <dl className={styles.row} aria-busy={updating} data-updating={updating || undefined} data-bare={figures.every((f) => f.value === undefined && !f.definition) || undefined}>
      {figures.map((f) => (
        <div key={f.key} className={styles.figure}>
          <dt className={styles.name}>
            {f.name}
            {(f.how || asOf) && (
              <Popover
                trigger="click"
                title={f.name}
                content={
                  <div className={styles.how}>
                    {f.how ?? f.definition}
                    {asOf && <p>{t('figure.asOf')} <When at={asOf} /></p>}
                  </div>
                }
              >
                <button type="button" className={styles.ask} aria-label={t('figure.how', { name: f.name })} title={t('figure.howShort')}><Icon name="help" size={16} /></button>
              </Popover>
            )}
          </dt>
          <dd className={styles.value}>{f.value ?? <Skeleton.Node active style={{ width: 120, height: 32 }} />}</dd>
          <dd className={styles.compare}>
            {f.compare && (
              <>
                {f.compare.way !== 'same' && <Icon name={f.compare.way === 'up' ? 'arrowUp' : 'arrowDown'} size={14} />}
                <span>{f.compare.text}</span>
              </>
            )}
          </dd>
          <dd className={styles.definition}>{updating ? t('figure.updating') : f.definition}</dd>
        </div>
      ))}
    </dl>
  );
}
