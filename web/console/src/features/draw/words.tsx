import type { DrawView } from '@patron/shared/api/schema.d.ts';
import type { Tone } from '@patron/shared/ui/status-tag.tsx';
import { useTranslation } from 'react-i18next';
import { useCan } from '../../frame/me.ts';
import { SubPages } from '../../ui/sub-pages.tsx';

export const tones: Record<DrawView['state'], Tone> = { draft: 'warning', scheduled: 'info', live: 'success', paused: 'plain', ended: 'plain' };

/** Draws, and the counter where things are handed out. */
export function Pages() {
  const { t } = useTranslation('draw');
  const can = useCan();
  return <SubPages label={t('menu')} pages={[{ to: '/draws', label: t('menu') }, ...(can('points.write') ? [{ to: '/draws/prizes', label: t('prizes.menu') }] : [])]} />;
}

/** Odds of a million as a percentage, exactly. */
export const percentOf = (odds: number) => `${(odds / 10_000).toFixed(4).replace(/\.?0+$/, '')}%`;
