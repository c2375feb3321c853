import { api, ok } from '@patron/shared/api/client.ts';
import { asProblem } from '@patron/shared/api/problem.ts';
import type { SaleNewPayment, SaleReceipt } from '@patron/shared/api/schema.d.ts';
import { formatPoints } from '@patron/shared/format/format.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { createPortal } from 'react-dom';
import { useTranslation } from 'react-i18next';
import type { Place, Shop } from './device.ts';
import { Dialog, Trouble } from './dialog.tsx';
import { payKinds } from './money.ts';
import { amountOnly } from './order.ts';
import type { Entry } from './queue.ts';
import { heard, mark, useTill } from './sender.ts';
import styles from './till.module.css';

/** What stands on the paper, wherever it came from. */
interface Paper {
  number: string;
  copy: number;
  back: boolean;
  store_en: string;
  store_zh: string;
  address: string;
  at: string;
  staff: string;
  till: string;
  lines: { name: string; quantity: number; amount: number }[];
  total: number;
  currency: string;
  payments: SaleNewPayment[];
  member?: string;
  points: { currency: string; amount: number }[];
  returned: number;
  /** The server does not have it yet. */
  waits: boolean;
}

const named = (line: { name?: string; sku?: string }) => line.name || (line.sku === amountOnly ? '' : (line.sku ?? ''));

function paperOfEntry(e: Entry, place: Place): Paper {
  const { sale } = e;
  return {
    number: e.document, copy: 0, back: false, store_en: place.store_en, store_zh: place.store_zh, address: place.address, at: sale.at, staff: sale.staff ?? '', till: sale.till ?? '',
    lines: (sale.lines ?? []).map((l) => ({ name: named(l), quantity: l.quantity, amount: l.amount })), total: sale.total, currency: sale.currency, payments: sale.payments ?? [],
    ...(e.who ? { member: e.who.number } : {}), points: (e.answer?.points ?? []).map(({ currency, amount }) => ({ currency, amount })), returned: 0, waits: e.state !== 'sent',
  };
}

function paperOfReceipt(r: SaleReceipt): Paper {
  const { sale } = r;
  return {
    number: r.number, copy: r.copy, back: sale.kind === 'return', store_en: r.store.name_en, store_zh: r.store.name_zh, address: r.store.address ?? '', at: sale.at, staff: sale.staff ?? '', till: sale.till ?? '',
    lines: (sale.lines ?? []).map((l) => ({ name: named(l), quantity: l.quantity, amount: l.amount })), total: sale.total, currency: sale.currency, payments: sale.payments ?? [],
    ...(r.member_number ? { member: r.member_number } : {}), points: (sale.kind === 'return' ? (sale.clawed_back ?? []) : (sale.points ?? [])).map(({ currency, amount }) => ({ currency, amount })), returned: r.returned, waits: false,
  };
}

interface Props {
  /** Of a sale of this device: its number. */
  document?: string;
  /** Of any other: its id. */
  id?: string;
  shop: Shop;
  place: Place;
  close: () => void;
}

/** A receipt to look at and to print. The first print is the receipt; those after it say that they are copies. */
export function ReceiptSheet({ document: number, id, shop, place, close }: Props) {
  const { t } = useTranslation('till');
  const { line, entries } = useTill();
  const entry = entries.find((e) => e.document === number);
  const sale = id ?? entry?.answer?.id;
  const asked = useQuery({
    queryKey: ['till', 'receipt', sale],
    enabled: sale !== undefined && line === 'online',
    retry: false,
    queryFn: ({ signal }) => ok(api.GET('/v1/sales/{id}/receipt', { params: { path: { id: sale! } }, signal })),
  });
  const [printing, setPrinting] = useState<Paper>();
  const [problem, setProblem] = useState<string>();
  const paper = asked.data ? paperOfReceipt(asked.data) : entry ? paperOfEntry(entry, place) : undefined;
  const again = entry ? !!entry.printed : true; // who printed that of another device cannot be known here

  useEffect(() => {
    if (!printing) return;
    window.print();
    setTimeout(() => setPrinting(undefined), 0);
  }, [printing]);

  async function print() {
    setProblem(undefined);
    if (!paper) return;
    if (!again && entry) {
      await mark(entry.document, { printed: true });
      return setPrinting(paper);
    }
    try {
      if (!sale) return setProblem(t('receipt.waitsCopy'));
      setPrinting(paperOfReceipt(await ok(api.POST('/v1/sales/{id}/receipt/reprint', { params: { path: { id: sale }, header: {} } }))));
    } catch (error) {
      const refused = asProblem(error);
      heard(refused);
      setProblem(refused.status === 0 ? t('receipt.copyOffline') : refused.message);
    }
  }

  return (
    <Dialog title={t('receipt.title')} close={close}>
      {paper ? <PaperView paper={paper} shop={shop} /> : asked.error ? <Trouble>{asked.error.message}</Trouble> : <div className={styles.paperEmpty} />}
      {problem && <Trouble>{problem}</Trouble>}
      <div className={styles.acts}>
        <button type="button" className={styles.primary} autoFocus disabled={!paper} onClick={() => void print()}>{again ? t('receipt.reprint') : t('receipt.print')}</button>
      </div>
      {printing && createPortal(<div className="till-print"><PaperView paper={printing} shop={shop} /></div>, document.body)}
    </Dialog>
  );
}

function PaperView({ paper: p, shop }: { paper: Paper; shop: Shop }) {
  const { t } = useTranslation('till');
  const { money, exact, language, named: nameOf } = useFormat();
  const kindOf = (kind: string) => (kind === 'points' ? t('pay.points') : (payKinds as readonly string[]).includes(kind) ? t(`pay.kinds.${kind}`) : kind);
  const currency = (code: string) => shop.currencies.find((c) => c.code === code);
  const points = p.points.filter((x) => currency(x.currency)?.kind === 'points' && x.amount !== 0);
  return (
    <article className={styles.paper} aria-label={t('receipt.of', { number: p.number })}>
      <header>
        <b>{nameOf(shop)}</b>
        <span>{nameOf({ name_en: p.store_en, name_zh: p.store_zh })}</span>
        {p.address && <span>{p.address}</span>}
      </header>
      {p.back && <div className={styles.stampWord}>{t('receipt.back')}</div>}
      {p.copy > 0 && <div className={styles.stampWord}>{t('receipt.copy', { count: p.copy })}</div>}
      <dl>
        <dt>{t('receipt.number')}</dt><dd>{p.number}</dd>
        <dt>{t('receipt.at')}</dt><dd>{exact(p.at).replace(/ \(.*/, '')}</dd>
        {p.till && <><dt>{t('receipt.till')}</dt><dd>{p.till}</dd></>}
        {p.staff && <><dt>{t('receipt.staff')}</dt><dd>{p.staff}</dd></>}
        {p.member && <><dt>{t('receipt.member')}</dt><dd>{p.member}</dd></>}
      </dl>
      <dl>
        {p.lines.map((l, i) => <div key={i} className={styles.paperLine}><dt>{l.name || t('receipt.amountOnly')}{l.quantity !== 1 && ` × ${l.quantity}`}</dt><dd>{money(l.amount, p.currency || shop.currency)}</dd></div>)}
      </dl>
      <dl>
        <div className={`${styles.paperLine} ${styles.paperTotal}`}><dt>{p.back ? t('receipt.refund') : t('receipt.total')}</dt><dd>{money(p.total, p.currency || shop.currency)}</dd></div>
        {p.payments.map((x, i) => <div key={i} className={styles.paperLine}><dt>{kindOf(x.kind)}</dt><dd>{money(x.amount, p.currency || shop.currency)}</dd></div>)}
        {p.returned > 0 && <div className={styles.paperLine}><dt>{t('receipt.returned')}</dt><dd>{money(p.returned, p.currency || shop.currency)}</dd></div>}
      </dl>
      {points.map((x, i) => <p key={i}>{p.back ? t('receipt.clawed') : t('receipt.earned')} {formatPoints(x.amount, language, { decimals: currency(x.currency)?.decimals ?? 0 })}</p>)}
      {p.waits && <p>{t('receipt.waits')}</p>}
    </article>
  );
}
