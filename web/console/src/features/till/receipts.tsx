import { useFormat } from '@patron/shared/format/use-format.ts';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Place, Shop } from './device.ts';
import { Dialog } from './dialog.tsx';
import { ReceiptSheet } from './receipt.tsx';
import { SaleSearch } from './sale-search.tsx';
import { useTill } from './sender.ts';
import styles from './till.module.css';

const most = 30;

/** Receipts of this device, and any other by its number. */
export function Receipts({ shop, place, close }: { shop: Shop; place: Place; close: () => void }) {
  const { t } = useTranslation('till');
  const { money, when } = useFormat();
  const { entries } = useTill();
  const [shown, setShown] = useState<{ document?: string; id?: string }>();
  if (shown) return <ReceiptSheet {...shown} shop={shop} place={place} close={() => setShown(undefined)} />;
  return (
    <Dialog title={t('menuSheet.receipts')} close={close} wide>
      <SaleSearch found={(sale) => setShown(entries.some((e) => e.answer?.id === sale.id) ? { document: sale.document } : { id: sale.id })} />
      <h3 className={styles.label}>{t('receipts.here')}</h3>
      {entries.length === 0 && <p className={styles.note}>{t('receipts.none')}</p>}
      <ul className={styles.queue}>
        {entries.slice(0, most).map((e) => (
          <li key={e.document}>
            <button type="button" className={styles.rowButton} onClick={() => setShown({ document: e.document })}>
              <b>{e.document}</b>
              <span>{when(e.sale.at)}{e.voided ? ` · ${t('waiting.state.voided')}` : e.state === 'sent' ? '' : ` · ${t(`waiting.state.${e.state}`)}`}</span>
              <span className={styles.num}>{money(e.sale.total, e.sale.currency)}</span>
            </button>
          </li>
        ))}
      </ul>
    </Dialog>
  );
}
