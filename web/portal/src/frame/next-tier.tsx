import type { TierProgress } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { noon } from '@patron/shared/standing/date.ts';
import { useTranslation } from 'react-i18next';
import { useWords } from './tier.ts';

/** 再来 3 次，就是常客了: in words, then as a bar, then the other ways. */
export function NextTier({ progress: p }: { progress: TierProgress }) {
  const { t } = useTranslation('tier');
  const { named, day } = useFormat();
  const words = useWords(p.evidence.parts?.find((part) => part.currency)?.currency);
  const ways = words.ways(p.evidence);
  const counted = (p.evidence.parts ?? []).filter((part) => part.metric !== 'condition').map(words.counted);
  const first = ways.first ? t('next', { way: ways.first.charAt(0).toUpperCase() + ways.first.slice(1), tier: named(p.tier) }) : t('soon', { tier: named(p.tier) });
  return (
    <>
      <h2 className="say">{first}</h2>
      <div className="bar" role="progressbar" aria-valuenow={p.percent} aria-valuemin={0} aria-valuemax={100} aria-label={first}><i style={{ width: `${p.percent}%` }} /></div>
      <p className="small">{[ways.others && t('others', { ways: ways.others }), counted.join(t('comma')), p.until && t('until', { day: day(noon(p.until)) })].filter(Boolean).join(t('comma'))}</p>
    </>
  );
}
