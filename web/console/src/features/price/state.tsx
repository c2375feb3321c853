import type { PriceListView } from '@patron/shared/api/schema.d.ts';
import { StatusTag, type Tone } from '@patron/shared/ui/status-tag.tsx';
import { useTranslation } from 'react-i18next';

const tones: Record<PriceListView['state'], Tone> = { draft: 'warning', scheduled: 'info', live: 'success', paused: 'plain', ended: 'plain' };

/** Where a list stands now. */
export function State({ state }: { state: PriceListView['state'] }) {
  const { t } = useTranslation('price');
  return <StatusTag tone={tones[state]}>{t(`state.${state}`)}</StatusTag>;
}
