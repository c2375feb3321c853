import type { IntakeView } from '@patron/shared/api/schema.d.ts';
import { StatusTag, type Tone } from '@patron/shared/ui/status-tag.tsx';
import { useTranslation } from 'react-i18next';

const tones: Record<IntakeView['state'], Tone> = { uploading: 'plain', uploaded: 'info', started: 'primary', done: 'success', failed: 'error', cancelled: 'plain' };

/** Where an import stands; a trial says so. */
export function ImportState({ it }: { it: Pick<IntakeView, 'state' | 'dry_run' | 'report'> }) {
  const { t } = useTranslation('connect');
  const some = it.state === 'done' && it.report.refused > 0;
  return <StatusTag tone={some ? 'warning' : tones[it.state]} icon={some ? 'warning' : undefined}>{it.state === 'done' && it.dry_run ? t('state.tried') : t(`state.${it.state}`)}</StatusTag>;
}
