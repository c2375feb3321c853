import { api, ok } from '@patron/shared/api/client.ts';
import { asProblem } from '@patron/shared/api/problem.ts';
import type { SaleReturnAnswer, SaleView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { Points } from '@patron/shared/ui/points.tsx';
import { useQuery } from '@tanstack/react-query';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { take } from './box.ts';
import type { Place, Shop } from './device.ts';
import { Dialog, Trouble } from './dialog.tsx';
import { payKinds } from './money.ts';
import { amountOnly, seriesOf } from './order.ts';
import { documentOf } from './queue.ts';
import { ReceiptSheet } from './receipt.tsx';
import { SaleSearch } from './sale-search.tsx';
import { heard, newKey, now, useTill } from './sender.ts';
import styles from './till.module.css';

/** Takes goods back by the number of their receipt. It needs the server, which knows what came back before. */
export function Back({ shop, place, staff, close }: { shop: Shop; place: Place; staff: string; close: () => void }) {
  const { t } = useTranslation('till');
  const { line } = useTill();
  const [sale, setSale] = useState<SaleView>();
  const [receipt, setReceipt] = useState<string>();
  if (receipt) return <ReceiptSheet id={receipt} shop={shop} place={place} close={close} />;
  return (
    <Dialog title={t('menuSheet.back')} close={close} wide>
      {line === 'offline' && <p className={styles.why}><Icon name="lock" size={18} /><span>{t('back.offline')}</span></p>}
      {sale ? <Lines sale={sale} shop={shop} place={place} staff={staff} another={() => setSale(undefined)} receipt={setReceipt} close={close} /> : <SaleSearch only="sale" found={setSale} />}
    </Dialog>
  );
}

interface Attempt {
  key: string;
  document: string;
  at: string;
  lines: string;
}

function Lines({ sale, shop, place, staff, another, receipt, close }: { sale: SaleView; shop: Shop; place: Place; staff: string; another: () => void; receipt: (id: string) => void; close: () => void }) {
  const { t } = useTranslation('till');
  const { money, when } = useFormat();
  const lines = (sale.lines ?? []).map((l) => ({ ...l, left: Math.round((l.quantity - (l.returned_quantity ?? 0)) * 1000) / 1000 }));
  const [counts, setCounts] = useState<Record<number, number>>(() => Object.fromEntries(lines.map((l) => [l.line, l.left])));
  const [pay, setPay] = useState<string>(() => sale.payments?.find((p) => p.kind !== 'points')?.kind ?? 'cash');
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [answer, setAnswer] = useState<SaleReturnAnswer>();
  const attempt = useRef<Attempt>(undefined);
  const asked = lines.filter((l) => (counts[l.line] ?? 0) > 0).map((l) => ({ line: l.line, quantity: counts[l.line]! }));
  const text = JSON.stringify([asked, pay]);

  // What would move, as the server sees it: money in proportion, and points.
  const preview = useQuery({
    queryKey: ['till', 'back', sale.id, text],
    enabled: asked.length > 0 && !answer,
    retry: false,
    queryFn: ({ signal }) => ok(api.POST('/v1/sales/{id}/returns', {
      params: { path: { id: sale.id }, query: { dry_run: true }, header: { 'Idempotency-Key': newKey() } }, signal,
      body: { document: 'preview', at: now().toISOString(), lines: asked },
    })),
  });
  const kinds = [...new Set([...payKinds, pay])];
  const refund = (preview.data?.total ?? 0) - worthBack(preview.data, shop);

  async function send() {
    if (busy || asked.length === 0) return;
    setBusy(true);
    setProblem(undefined);
    try {
      if (attempt.current?.lines !== text) {
        attempt.current = { key: newKey(), document: documentOf(place.till, place.device, await take(seriesOf(place))), at: now().toISOString(), lines: text };
      }
      const { key, document, at } = attempt.current;
      const body = { document, at, till: place.till, staff: staff.slice(0, 64), lines: asked, ...(refund > 0 ? { payments: [{ kind: pay, amount: refund }] } : {}) };
      setAnswer(await ok(api.POST('/v1/sales/{id}/returns', { params: { path: { id: sale.id }, header: { 'Idempotency-Key': key } }, body, signal: AbortSignal.timeout(8000) })));
    } catch (error) {
      const refused = asProblem(error);
      heard(refused);
      if (refused.status >= 400 && refused.status < 500) attempt.current = undefined; // nothing was done; the next is another try
      setProblem(refused.status === 0 ? t('back.lost') : refused.message);
    } finally {
      setBusy(false);
    }
  }

  if (answer) {
    return (
      <>
        <Moved answer={answer} shop={shop} currency={sale.currency} title={t('back.done')} />
        <div className={styles.acts}>
          <button type="button" className={styles.button} onClick={() => receipt(answer.id)}>{t('done.receipt')}</button>
          <button type="button" className={styles.primary} autoFocus onClick={close}>{t('close')}</button>
        </div>
      </>
    );
  }
  return (
    <>
      <div className={styles.pair}><b>{sale.document}</b><span className={styles.num}>{money(sale.total, sale.currency)}</span></div>
      <div className={styles.pair}><span className={styles.second}>{when(sale.at)}</span><button type="button" className={styles.link} onClick={another}>{t('back.another')}</button></div>
      <ul className={styles.queue}>
        {lines.map((l) => {
          const n = counts[l.line] ?? 0;
          const name = l.name || (l.sku === amountOnly ? t('receipt.amountOnly') : (l.sku ?? ''));
          const set = (to: number) => setCounts((had) => ({ ...had, [l.line]: Math.max(0, Math.min(l.left, to)) }));
          return (
            <li key={l.line} className={styles.backLine}>
              <div><b>{name}</b><span className={styles.second}>{l.left < l.quantity ? t('back.leftOf', { left: l.left, quantity: l.quantity }) : `× ${l.quantity}`} · {money(l.amount, sale.currency)}</span></div>
              <div className={styles.smallStep}>
                <button type="button" className={styles.round} aria-label={t('back.less', { name })} disabled={n === 0} onClick={() => set(n - 1)}><Icon name="minus" /></button>
                <b className={styles.num}>{n}</b>
                <button type="button" className={styles.round} aria-label={t('back.more', { name })} disabled={n >= l.left} onClick={() => set(n + 1)}><Icon name="plus" /></button>
              </div>
            </li>
          );
        })}
      </ul>
      {lines.every((l) => l.left === 0) && <p className={styles.note}>{t('back.nothing')}</p>}
      {preview.data && asked.length > 0 && <Moved answer={preview.data} shop={shop} currency={sale.currency} title={t('back.would')} />}
      {preview.error && <Trouble>{preview.error.message}</Trouble>}
      <div className={styles.kinds} role="radiogroup" aria-label={t('back.how')}>
        {kinds.map((kind) => <label key={kind}><input type="radio" name="till-back" checked={pay === kind} onChange={() => setPay(kind)} /><span>{(payKinds as readonly string[]).includes(kind) ? t(`pay.kinds.${kind}`) : kind}</span></label>)}
      </div>
      {problem && <Trouble>{problem}</Trouble>}
      <button type="button" className={styles.primary} disabled={busy || asked.length === 0 || !preview.data} onClick={() => void send()}>
        {preview.data && asked.length > 0 ? t('back.actSum', { money: money(refund, sale.currency) }) : t('back.act')}
      </button>
    </>
  );
}

/** Of what comes back, what points paid: they go back as points. */
const worthBack = (answer: SaleReturnAnswer | undefined, shop: Shop): number =>
  (answer?.restored ?? []).reduce((sum, r) => sum + Math.floor(((r.amount + (r.waived ?? 0)) * (shop.currencies.find((c) => c.code === r.currency)?.millionths ?? 0)) / 1_000_000), 0);

/** What a return moves: money, and points both ways. */
export function Moved({ answer, shop, currency, title }: { answer: SaleReturnAnswer; shop: Shop; currency: string; title: string }) {
  const { t } = useTranslation('till');
  const { money } = useFormat();
  const points = (list: SaleReturnAnswer['restored']) => (list ?? []).filter((x) => shop.currencies.find((c) => c.code === x.currency)?.kind === 'points' && x.amount !== 0);
  const decimals = (code: string) => shop.currencies.find((c) => c.code === code)?.decimals ?? 0;
  return (
    <div className={styles.earns}>
      <b>{title}</b>
      <span>{t('back.money')} {money(answer.total - worthBack(answer, shop), currency)}</span>
      {points(answer.clawed_back).map((x, i) => <span key={`c${i}`}>{t('back.clawed')} <Points amount={x.amount} decimals={decimals(x.currency)} /></span>)}
      {points(answer.restored).map((x, i) => <span key={`r${i}`}>{t('back.restored')} <Points amount={x.amount} decimals={decimals(x.currency)} /></span>)}
    </div>
  );
}
