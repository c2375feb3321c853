import { useTranslation } from 'react-i18next';
import type { TierBenefits, TierCriteria, TierEvidence, TierPart } from '../api/schema.d.ts';
import { formatCount, pointsFigure } from '../format/format.ts';
import { useFormat } from '../format/use-format.ts';

interface Units {
  /** The programme's money. */
  money: string | undefined;
  /** Decimals of the growth value. */
  decimals?: number;
}

/** Tiers in words: what one asks for, what is missing, what it gives. */
export function useStandingWords({ money, decimals = 0 }: Units) {
  const { t } = useTranslation('standing');
  const format = useFormat();
  const chinese = format.language === 'zh-CN';
  const amount = (metric: TierPart['metric'], n: number) =>
    metric === 'spend' ? (money ? format.money(n, money, { trim: true }) : '') : metric === 'growth' ? pointsFigure(n, decimals) : formatCount(n);
  const join = (parts: string[], any: boolean | undefined) => parts.join(t(any ? 'or' : 'and'));
  const missing = (p: TierPart) => t(`missing.${p.metric}`, { amount: amount(p.metric, p.missing), count: p.missing });

  return {
    amount,
    /** 消费满 ¥3,000，或来满 24 次. */
    asks(c: TierCriteria | undefined): string {
      const parts = (['spend', 'visits', 'growth'] as const).flatMap((m) => (c?.[m] ? [t(`need.${m}`, { amount: amount(m, c[m]!), count: c[m]! })] : []));
      if (c?.condition) parts.push(t('need.condition'));
      return parts.length ? join(parts, c?.any) : t('need.none');
    },
    /** 再消费 ¥264，或再来 3 次: all that is missing. */
    lacks: (e: TierEvidence): string => join((e.parts ?? []).filter((p) => p.missing > 0).map(missing), e.any),
    /** The same with the shortest way first, and the others apart: where one of them is enough a headline says that one. */
    ways(e: TierEvidence): { first: string; others: string } {
      const open = (e.parts ?? []).filter((p) => p.missing > 0).sort((a, b) => b.have / (b.need || 1) - a.have / (a.need || 1));
      if (!e.any) return { first: join(open.map(missing), false), others: '' };
      return { first: open[0] ? missing(open[0]) : '', others: join(open.slice(1).map(missing), true) };
    },
    /** ¥2,736 / ¥3,000. */
    counted: (p: TierPart): string => `${amount(p.metric, p.have)} / ${amount(p.metric, p.need)}`,
    gives(b: TierBenefits | undefined): string[] {
      if (!b) return [];
      const out: string[] = [];
      if (b.earn_multiplier && b.earn_multiplier !== 1000) out.push(t('benefit.multiplier', { times: b.earn_multiplier / 1000 }));
      if (b.discount_percent) out.push(t('benefit.discount', { percent: b.discount_percent, fold: (100 - b.discount_percent) / 10 }));
      if (b.birthday_gift) out.push(t('benefit.birthday'));
      if (b.free_delivery) out.push(t('benefit.delivery'));
      if (b.service_priority) out.push(t('benefit.priority'));
      const said = chinese ? b.text_zh || b.text_en : b.text_en || b.text_zh;
      return [...out, ...(said ?? '').split('\n').map((line) => line.trim()).filter(Boolean)];
    },
  };
}
