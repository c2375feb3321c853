import type { RewardOption, RewardOrderView, RewardView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import type { Tone } from '@patron/shared/ui/status-tag.tsx';
import { useTranslation } from 'react-i18next';
import { useAmountText } from '../../ui/use-amount-text.ts';

export const tones: Record<RewardView['state'], Tone> = { draft: 'warning', live: 'success', paused: 'plain', ended: 'plain' };
export const orderTones: Record<RewardOrderView['state'], Tone> = { held: 'warning', paid: 'info', fulfilled: 'info', done: 'success', cancelled: 'plain', returned: 'plain' };

/** Prices and states in a line each. */
export function useRewardWords() {
  const { t } = useTranslation('reward');
  const { money } = useFormat();
  const amount = useAmountText();
  const plus = (points: number, currency: string, extra: number, of: string) => (extra > 0 ? t('plus', { points: amount(points, currency), money: money(extra, of, { trim: true }) }) : amount(points, currency));
  return {
    price(o: RewardOption | undefined, of: string): string {
      if (!o) return '';
      const least = o.least ?? 0;
      return least > 0 ? t('slides', { least: amount(least, o.currency), most: plus(o.points, o.currency, o.money ?? 0, of) }) : plus(o.points, o.currency, o.money ?? 0, of);
    },
    ordered: (o: RewardOrderView) => plus(o.points, o.currency, o.money.amount, o.money.currency),
    /** What is left over all stores; nothing where it is not counted. */
    left: (r: RewardView): number | undefined => (r.stock === 'none' && r.kind !== 'code' ? undefined : (r.stocks ?? []).reduce((n, s) => n + s.left, 0)),
    state: (o: RewardOrderView) => (o.lapsed ? t('orders.lapsed') : o.state === 'paid' || o.state === 'fulfilled' ? t(`orders.state.${o.state}_${o.way === 'ship' ? 'ship' : 'pickup'}`) : t(`orders.state.${o.state}`)),
  };
}
