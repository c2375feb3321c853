import type { RewardOrderView } from '@patron/shared/api/schema.d.ts';
import { useTranslation } from 'react-i18next';

/** How an order stands, in the words of who waits for it. */
export function useOrderWords() {
  const { t } = useTranslation('reward');
  return {
    state(o: RewardOrderView): string {
      if (o.lapsed) return t(o.points_kept ? 'stands.kept' : 'stands.lapsed');
      if (o.state === 'paid' || o.state === 'fulfilled') return t(`stands.${o.state}_${o.way === 'ship' ? 'ship' : 'pickup'}`);
      return t(`stands.${o.state}`);
    },
    tone: (o: RewardOrderView): string => (o.state === 'held' ? 'warn' : o.state === 'paid' || o.state === 'fulfilled' ? 'good' : ''),
  };
}
