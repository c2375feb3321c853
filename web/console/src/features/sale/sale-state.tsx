import type { SaleView } from '@patron/shared/api/schema.d.ts';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { useTranslation } from 'react-i18next';

/** What a document is and how it stands: sold, partly or wholly returned, a return, one that waits. */
export function SaleState({ sale }: { sale: SaleView }) {
  const { t } = useTranslation('sale');
  if (sale.kind === 'return') {
    if (sale.state === 'waiting') return <StatusTag tone="info">{t('state.waiting')}</StatusTag>;
    if (sale.state === 'parked') return <StatusTag tone="warning">{t('state.parked')}</StatusTag>;
    return <StatusTag tone="plain" icon="back">{t('state.return')}</StatusTag>;
  }
  const back = sale.lines?.filter((l) => (l.returned_quantity ?? 0) > 0) ?? [];
  if (back.length === 0) return <StatusTag tone="success">{t('state.sold')}</StatusTag>;
  const whole = back.length === sale.lines?.length && back.every((l) => l.returned_quantity === l.quantity);
  return <StatusTag tone="plain" icon="back">{t(whole ? 'state.wholly' : 'state.partly')}</StatusTag>;
}
