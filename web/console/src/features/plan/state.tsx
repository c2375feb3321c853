import type { PlanView } from '@patron/shared/api/schema.d.ts';
import { StatusTag, type Tone } from '@patron/shared/ui/status-tag.tsx';
import { useTranslation } from 'react-i18next';

const tones: Record<PlanView['state'], Tone> = { draft: 'warning', scheduled: 'info', live: 'success', paused: 'plain', ended: 'plain' };

/** Whether a plan is sold. */
export function State({ state }: { state: PlanView['state'] }) {
  const { t } = useTranslation('plan');
  return <StatusTag tone={tones[state]}>{t(`state.${state}`)}</StatusTag>;
}
