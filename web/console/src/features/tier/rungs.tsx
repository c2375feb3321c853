import type { Tier, TierScheme } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { TierMark } from '@patron/shared/standing/tier-mark.tsx';
import { useStandingWords } from '@patron/shared/standing/words.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, Form } from 'antd';
import { useTranslation } from 'react-i18next';
import { tiersQuery } from '../../frame/lookups.ts';
import { RungFields } from './rung-fields.tsx';
import styles from './rungs.module.css';
import type { Units, Values } from './scheme.ts';

interface Props {
  scheme: Values;
  /** The same as the API has it, for words. */
  draft: TierScheme;
  live: TierScheme | undefined;
  /** Which rung is open. */
  at: number;
  setAt: (i: number) => void;
  change: (patch: Partial<Values>) => void;
  may: boolean;
  units: Units;
}

const free = (tiers: Tier[]) => {
  for (let n = tiers.length + 1; ; n++) if (!tiers.some((tier) => tier.code === `tier${n}`)) return `tier${n}`;
};

/** The ladder, the highest rung on top; one is open at a time. */
export function Rungs({ scheme, draft, live, at, setAt, change, may, units }: Props) {
  const { t } = useTranslation('tier');
  const { named, count } = useFormat();
  const words = useStandingWords({ money: units.money, decimals: scheme.currency ? units.pointDecimals(scheme.currency) : 0 });
  const counted = useQuery(tiersQuery).data?.items?.find((l) => l.scheme === live?.code);
  const tiers = scheme.tiers;
  const move = (from: number, to: number) => {
    const next = [...tiers];
    next.splice(to, 0, next.splice(from, 1)[0]!);
    change({ tiers: next });
    setAt(to);
  };
  return (
    <Form.List name="tiers">
      {(fields) => (
        <>
          {may && tiers.length < 20 && (
            <Button
              type="text" size="small" icon={<Icon name="plus" size={16} />}
              onClick={() => {
                const top = tiers.at(-1);
                change({ tiers: [...tiers, { code: free(tiers), name_zh: t('rungs.newZh'), name_en: t('rungs.newEn'), color: '#612F4E', icon: 'diamond', qualify: { ...top?.qualify, spend: (top?.qualify?.spend ?? 0) * 2 || 1000 }, benefits: { ...top?.benefits } }] });
                setAt(tiers.length);
              }}
            >
              {t('rungs.add')}
            </Button>
          )}
          <ol className={styles.ladder} reversed>
            {[...fields].reverse().map((field) => {
              const i = field.name;
              const tier = tiers[i];
              const api = draft.tiers?.[i];
              if (!tier || !api) return null;
              const n = counted?.tiers?.find((c) => c.code === tier.code)?.members;
              return (
                <li key={field.key} className={styles.rung} style={{ '--rung': i } as React.CSSProperties}>
                  <button type="button" className={styles.head} aria-expanded={i === at} aria-controls={`rung-${i}`} onClick={() => setAt(i === at ? -1 : i)}>
                    <TierMark color={tier.color} icon={tier.icon} />
                    <b>{named(tier) || tier.code}</b>
                    <span className={styles.asks}>{words.asks(api.qualify)}</span>
                    <span className={styles.n}>{n !== undefined && t('people', { count: n, n: count(n) })}</span>
                    <Icon name="down" size={16} className={styles.turn} />
                  </button>
                  <div id={`rung-${i}`} hidden={i !== at} className={styles.body}>
                    <RungFields i={i} tier={tier} scheme={scheme} fixed={!!live?.tiers?.some((one) => one.code === tier.code)} change={(patch) => change({ tiers: tiers.map((one, k) => (k === i ? { ...one, ...patch } : one)) })} units={units} />
                    {may && (
                      <div className={styles.acts}>
                        <Button size="small" disabled={i === tiers.length - 1} onClick={() => move(i, i + 1)}>{t('rungs.up')}</Button>
                        <Button size="small" disabled={i === 0} onClick={() => move(i, i - 1)}>{t('rungs.down')}</Button>
                        <Button size="small" danger disabled={tiers.length === 1} onClick={() => {
                          change({ tiers: tiers.filter((_, k) => k !== i) });
                          setAt(-1);
                        }}>{t('rungs.remove', { name: named(tier) })}</Button>
                      </div>
                    )}
                  </div>
                </li>
              );
            })}
          </ol>
        </>
      )}
    </Form.List>
  );
}
