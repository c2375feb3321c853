import type { OfferGoal, OfferReward, OfferView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import type { Tone } from '@patron/shared/ui/status-tag.tsx';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { programQuery } from '../../frame/me.ts';
import { useAmountText } from '../../ui/use-amount-text.ts';

export const tones: Record<OfferView['state'], Tone> = { draft: 'warning', scheduled: 'info', live: 'success', paused: 'plain', ended: 'plain' };

/** What is to be done and what it gives, in a line each. */
export function useOfferWords() {
  const { t } = useTranslation('offer');
  const { money } = useFormat();
  const currency = useQuery(programQuery).data?.currency ?? 'CNY';
  const amountText = useAmountText();
  return {
    goal(g: OfferGoal): string {
      const amount = money(g.amount ?? 0, currency, { trim: true });
      if (g.kind === 'spend') return t('goal.spend', { amount });
      if (g.kind === 'purchase') return t('goal.purchase', { amount, count: g.count ?? 1 });
      if (g.kind === 'visits') return t('goal.visits', { count: g.count ?? 0 });
      if (g.kind === 'streak') return t(`goal.streak.${g.unit ?? 'day'}`, { count: g.count ?? 0 });
      return t('goal.products', { list: (g.products ?? []).map((p) => t('goal.product', { name: p.sku || p.category, count: p.quantity || 1 })).join(t('comma')) });
    },
    reward: (r: OfferReward): string => [r.amount && r.currency ? amountText(r.amount, r.currency) : '', r.badge ? t('goal.badge', { badge: r.badge }) : ''].filter(Boolean).join(t('comma')),
  };
}
