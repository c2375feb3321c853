import { api, ok } from '@patron/shared/api/client.ts';
import { asProblem } from '@patron/shared/api/problem.ts';
import type { SaleReturnAnswer } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Moved } from './back.tsx';
import { take } from './box.ts';
import type { Place, Shop } from './device.ts';
import { Dialog, Trouble } from './dialog.tsx';
import { seriesOf } from './order.ts';
import { documentOf, sourceOf } from './queue.ts';
import { heard, mark, newKey, now, useTill } from './sender.ts';
import styles from './till.module.css';

const reasons = ['amount', 'twice', 'changed'] as const;

/** Undoes the last sale of this till, while its customer still stands there. */
export function UndoLast({ shop, place, staff, done, close }: { shop: Shop; place: Place; staff: string; done: () => void; close: () => void }) {
  const { t } = useTranslation('till');
  const { money, when } = useFormat();
  const { entries } = useTill();
  const [reason, setReason] = useState('');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [answer, setAnswer] = useState<SaleReturnAnswer>();
  const attempt = useRef<{ key: string; document: string; at: string; reason: string }>(undefined);
  const source = sourceOf(place.storeCode, place.till);
  const [last] = useState(() => entries.find((e) => e.sale.source === source && e.state !== 'dropped' && !e.voided));

  async function undo() {
    if (!last?.answer || busy || !reason.trim()) return;
    setBusy(true);
    setProblem(undefined);
    try {
      if (attempt.current?.reason !== reason) attempt.current = { key: newKey(), document: documentOf(place.till, place.device, await take(seriesOf(place))), at: now().toISOString(), reason };
      const { key, document, at } = attempt.current;
      const out = await ok(api.POST('/v1/sales/{id}/void', {
        params: { path: { id: last.answer.id }, header: { 'Idempotency-Key': key } }, signal: AbortSignal.timeout(8000),
        body: { document, at, till: place.till, staff: staff.slice(0, 64), reason: reason.trim() },
      }));
      await mark(last.document, { voided: true });
      setAnswer(out);
    } catch (error) {
      const refused = asProblem(error);
      heard(refused);
      if (refused.status >= 400 && refused.status < 500) attempt.current = undefined;
      setProblem(refused.status === 0 ? t('back.lost') : refused.message);
    } finally {
      setBusy(false);
    }
  }

  const shut = () => {
    close();
    if (answer) done();
  };
  return (
    <Dialog title={t('menuSheet.undo')} close={shut}>
      {!last && <p className={styles.note}>{t('undo.none')}</p>}
      {last && <div className={styles.pair}><b>{last.document}</b><span className={styles.num}>{money(last.sale.total, shop.currency)}</span></div>}
      {last && <div className={styles.pair}><span className={styles.second}>{when(last.sale.at)}</span><span className={styles.second}>{last.who && `${last.who.name} ${last.who.number}`}</span></div>}
      {last && !last.answer && <p className={styles.note}>{t('undo.waits')}</p>}
      {last?.answer && !answer && (
        <>
          <p className={styles.note}>{t('undo.text')}</p>
          <div className={styles.askForm}>
            <label>{t('undo.reason')}<input value={reason} autoFocus maxLength={200} onChange={(e) => setReason(e.target.value)} onKeyDown={(e) => e.key === 'Enter' && !e.nativeEvent.isComposing && void undo()} /></label>
          </div>
          <div className={styles.quick}>{reasons.map((r) => <button key={r} type="button" aria-pressed={reason === t(`undo.reasons.${r}`)} onClick={() => setReason(t(`undo.reasons.${r}`))}>{t(`undo.reasons.${r}`)}</button>)}</div>
          {problem && <Trouble>{problem}</Trouble>}
          <button type="button" className={styles.primary} disabled={busy || !reason.trim()} onClick={() => void undo()}>{t('undo.act', { money: money(last.sale.total, shop.currency) })}</button>
        </>
      )}
      {answer && (
        <>
          <Moved answer={answer} shop={shop} currency={shop.currency} title={t('undo.done')} />
          <button type="button" className={styles.primary} autoFocus onClick={shut}>{t('done.next')}</button>
        </>
      )}
    </Dialog>
  );
}
