import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { Money } from '@patron/shared/ui/money.tsx';
import { Points } from '@patron/shared/ui/points.tsx';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Place, Shop } from './device.ts';
import type { Member } from './order.ts';
import { Notice } from './pay-pane.tsx';
import type { Entry } from './queue.ts';
import { standingQuery } from '../../ui/standing.tsx';
import { ReceiptSheet } from './receipt.tsx';
import { Reason } from './waiting.tsx';
import { useTill } from './sender.ts';
import styles from './till.module.css';

/** The sale is laid down. What the server says of it comes in while the next customer steps up. */
export function Done({ entry, shop, place, member, next, undo }: { entry: Entry; shop: Shop; place: Place; member: Member | undefined; next: () => void; undo: () => void }) {
  const { t } = useTranslation('till');
  const { money, day, named } = useFormat();
  const { line } = useTill();
  const [receipt, setReceipt] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  useEffect(() => {
    if (line !== 'door' && document.activeElement === document.body) button.current?.focus(); // at once, and after somebody signed in again
  }, [line]);
  const { sale, state, answer } = entry;
  const collected = sale.total - (sale.payments ?? []).filter((p) => p.kind === 'points' || p.kind === 'stored_value').reduce((n, p) => n + p.amount, 0);
  const points = (answer?.points ?? []).filter((p) => shop.currencies.find((c) => c.code === p.currency)?.kind === 'points');
  const rose = useRise(member?.id, entry.state === 'sent');
  const decimals = (code: string) => shop.currencies.find((c) => c.code === code)?.decimals ?? 0;
  return (
    <section className={`${styles.pane} ${styles.done}`} aria-label={t('done.title')} aria-live="polite">
      <div className={styles.label}>{t('done.number', { number: entry.document })}</div>
      <h2 className={styles.total}><Money amount={collected} currency={sale.currency} /></h2>
      {collected !== sale.total && <p className={styles.note}>{t('done.withPoints', { bill: money(sale.total, sale.currency), points: money(sale.total - collected, sale.currency) })}</p>}
      {state === 'sent' && (
        <div className={styles.earns}>
          <b><Icon name="approve" size={20} />{t('done.sent')}</b>
          {points.map((p) => <span key={p.lot_id}>{t('done.earned')} <Points amount={p.amount} decimals={decimals(p.currency)} />{p.state === 'pending' && <>, {t('pay.earnsOn', { day: day(p.usable_at) })}</>}</span>)}
          {rose && <span>{t('pay.rose', { tier: named(rose) })}</span>}
          {member && Object.entries(answer?.balances ?? {}).filter(([code]) => shop.currencies.find((c) => c.code === code)?.kind === 'points').map(([code, n]) => <span key={code}>{t('done.balance')} <Points amount={n} decimals={decimals(code)} /></span>)}
          {(answer?.notices ?? []).map((n) => <Notice key={n.code} en={n.title} zh={n.title_zh} />)}
        </div>
      )}
      {state === 'waiting' && <div className={styles.waits}><b><Icon name="clock" size={20} />{line === 'online' && !entry.problem ? t('done.sending') : t('done.waiting')}</b><span>{t('done.waitingText')}</span></div>}
      {state === 'aside' && <div className={styles.refused}><b><Icon name="warning" size={20} />{t('done.aside')}</b><span><Reason entry={entry} /></span></div>}
      <div className={styles.doneActs}>
        <button type="button" className={styles.button} onClick={() => setReceipt(true)}>{t('done.receipt')}</button>
        <button type="button" className={styles.button} disabled={state !== 'sent'} onClick={undo}>{t('done.undo')}</button>
        <button ref={button} type="button" className={styles.primary} onClick={next}>{t('done.next')}<kbd>↵</kbd></button>
      </div>
      {receipt && <ReceiptSheet document={entry.document} shop={shop} place={place} close={() => setReceipt(false)} />}
    </section>
  );
}

/** The tier that the sale brought: where the member stood when it was laid down, against where they stand once the server has it. */
function useRise(member: string | undefined, sent: boolean) {
  const client = useQueryClient();
  const query = standingQuery(member ?? '');
  const [before] = useState(() => client.getQueryData(query.queryKey));
  useEffect(() => {
    if (sent && member) void client.invalidateQueries({ queryKey: standingQuery(member).queryKey });
  }, [client, sent, member]);
  const after = useQuery({ ...query, enabled: sent && !!member, retry: false }).data;
  const [was, is] = [before, after].map((list) => list?.find((s) => s.main)?.tier);
  return before && is && is.rank > (was?.rank ?? 0) ? is : undefined;
}
