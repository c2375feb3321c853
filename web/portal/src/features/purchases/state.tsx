import type { PortalPurchase } from '@patron/shared/api/schema.d.ts';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { useTranslation } from 'react-i18next';

/** What became of a purchase; nothing where all is as it was bought. */
export function State({ purchase: { kind, state } }: { purchase: Pick<PortalPurchase, 'kind' | 'state'> }) {
  const { t } = useTranslation('purchases');
  if (state === 'bought') return null;
  if (state === 'waiting') return <StatusTag tone="warning" icon="clock">{t('state.waiting')}</StatusTag>;
  if (kind === 'return') return null; // its title says so
  return <StatusTag tone="plain" icon="back">{state === 'returned' ? t('state.returned') : t('state.part')}</StatusTag>;
}
