/** One order as it stands at the till, and what becomes of it. */
import { api, ok } from '@patron/shared/api/client.ts';
import { ApiProblem, asProblem } from '@patron/shared/api/problem.ts';
import type { LedgerWalletView, SaleNew, SaleNewLine, SaleNewPayment, TillCheckoutView } from '@patron/shared/api/schema.d.ts';
import { useEffect, useState } from 'react';
import { boundsOf, within } from './bounds.ts';
import type { Place, Shop } from './device.ts';
import { documentOf, maskName, minorOf, sourceOf, worthOf, type Entry } from './queue.ts';
import { enter, newKey, now } from './sender.ts';

/** Who buys. Without a line only what was typed is known, or a number from before. */
export interface Member {
  id?: string;
  typed?: string;
  number?: string;
  name?: string;
  phone?: string;
  tier?: string;
  wallets?: LedgerWalletView[];
}

export interface Item {
  sku: string;
  name: string;
  quantity: number;
  amount: number;
}

export interface Order {
  id: string;
  member?: Member;
  /** Lines, or the amount alone. */
  items: Item[];
  byLines: boolean;
  amount: string;
  /** Points and stored value to pay with, in their smallest unit by currency. */
  spend: Record<string, number>;
  /** Codes to use. */
  coupons: string[];
}

export const newOrder = (): Order => ({ id: newKey(), items: [], byLines: false, amount: '', spend: {}, coupons: [] });

/** What a sale of an amount alone calls its one line. */
export const amountOnly = 'till-amount';

const holdFor = 12 * 3600; // seconds: longer than a line is down, shorter than anybody waits for points

export const totalOf = (o: Order, decimals: number): number | undefined => (o.byLines ? (o.items.length ? o.items.reduce((sum, i) => sum + i.amount, 0) : undefined) : minorOf(o.amount, decimals));

/** The wallets that can pay here, with how much of each this purchase takes. `total` is what coupons leave. */
export function payable(o: Order, shop: Shop, place: Place, total: number, quote?: TillCheckoutView) {
  const worthIn = (code: string, n: number) => worthOf(n, shop.currencies.find((c) => c.code === code)?.millionths ?? 0);
  return (o.member?.wallets ?? [])
    .filter((w) => w.kind !== 'growth' && w.available > 0)
    .flatMap((wallet) => {
      const currency = shop.currencies.find((c) => c.code === wallet.currency);
      const millionths = currency?.millionths ?? 0;
      if (millionths <= 0) return [];
      const others = Object.entries(o.spend).filter(([code]) => code !== wallet.currency);
      const rest = total - others.reduce((sum, [code, n]) => sum + worthIn(code, n), 0);
      const own = boundsOf(currency?.pay ?? {}, millionths, { available: wallet.available, total, rest, store: [place.store, place.storeCode] });
      return [{ wallet, millionths, bounds: within(own, quote?.payable?.find((p) => p.currency === wallet.currency)) }];
    });
}

export const paidByPoints = (o: Order, shop: Shop): number => Object.entries(o.spend).reduce((sum, [code, n]) => sum + worthOf(n, shop.currencies.find((c) => c.code === code)?.millionths ?? 0), 0);

function linesOf(o: Order, total: number): SaleNewLine[] {
  if (!o.byLines) return [{ line: 1, sku: amountOnly, quantity: 1, amount: total }];
  return o.items.map((i, at) => ({ line: at + 1, sku: i.sku, quantity: i.quantity, amount: i.amount, ...(i.name ? { name: i.name } : {}) }));
}

export const seriesOf = (place: Place) => `${place.till}-${place.device}`;

interface Taking {
  order: Order;
  total: number;
  /** What comes off by coupons, prices of members, tier and plan, as the customer was told. */
  off: number;
  /** Whether it is known that nothing comes off, or nobody can be asked. */
  plain: boolean;
  place: Place;
  shop: Shop;
  staff: string;
  pay: string;
}

/**
 * Takes the money: sets points aside first, where some pay, then lays the sale down. After that it cannot
 * be lost, sent or not.
 */
export async function takeOrder(taking: Taking): Promise<Entry> {
  const { order, total, place, shop, staff, pay } = taking;
  const { member } = order;
  if (order.coupons.length || (member?.id && !taking.plain)) {
    try {
      return await takeCheckout(taking);
    } catch (error) {
      const promised = order.coupons.length > 0 || taking.off > 0 || Object.values(order.spend).some((n) => n > 0);
      if (promised || asProblem(error).status !== 0) throw error; // else the line is gone, and it goes as any other sale
    }
  }
  const payments: SaleNewPayment[] = [];
  const held: string[] = [];
  try {
    for (const [currency, amount] of Object.entries(order.spend)) {
      if (amount <= 0) continue;
      const body = { member: member!.id!, currency, amount, ttl_seconds: holdFor, purpose: place.store_zh || place.store_en || place.storeCode };
      const hold = await ok(api.POST('/v1/holds', { body, params: { header: { 'Idempotency-Key': `${order.id}:${currency}:${amount}` } }, signal: AbortSignal.timeout(8000) }));
      held.push(hold.id);
      payments.push({ kind: 'points', amount: worthOf(amount, shop.currencies.find((c) => c.code === currency)!.millionths), reference: hold.id });
    }
  } catch (error) {
    for (const id of held) void api.POST('/v1/holds/{id}/release', { params: { path: { id }, header: { 'Idempotency-Key': newKey() } } }).catch(() => undefined); // it ends by itself
    throw asProblem(error);
  }
  const money = total - payments.reduce((sum, p) => sum + p.amount, 0);
  if (money > 0) payments.push({ kind: pay, amount: money });
  const at = now().toISOString();
  return enter(seriesOf(place), (n) => {
    const document = documentOf(place.till, place.device, n);
    const sale: SaleNew = { source: sourceOf(place.storeCode, place.till), document, at, currency: shop.currency, total, lines: linesOf(order, total), store: place.store, till: place.till, staff: staff.slice(0, 64), channel: 'store', payments };
    if (member?.id) sale.member = member.id;
    return {
      document, n, key: order.id, sale, state: 'waiting', tries: 0,
      ...(member && !member.id && member.typed ? { typed: member.typed } : {}),
      ...(member?.number ? { who: { name: maskName(member.name), number: member.number } } : {}),
    };
  });
}

const checkoutFor = 3600; // seconds: as long as a checkout can be held

const wishOf = (o: Order, total: number, place: Place, shop: Shop) => ({
  ...(o.member?.id ? { member: o.member.id } : {}), currency: shop.currency, lines: linesOf(o, total), store: place.store, till: place.till, channel: 'store', coupons: o.coupons,
  spend: Object.entries(o.spend).filter(([, amount]) => amount > 0).map(([currency, amount]) => ({ currency, amount })),
});

/** What the basket comes to with its coupons, and what else could be used: nothing is held yet. */
export const quoteOf = (o: Order, total: number, place: Place, shop: Shop, signal: AbortSignal): Promise<TillCheckoutView> =>
  ok(api.POST('/v1/checkouts', { body: { ...wishOf(o, total, place, shop), spend: [] }, params: { query: { dry_run: true }, header: { 'Idempotency-Key': newKey() } }, signal }));

/** Said where what comes off is no longer what the customer was told. */
export const changed = 'till.changed';

/**
 * Holds coupons and points in one go and lays the sale down at the prices that were quoted. Sent, it
 * confirms what is held; should that have run out, it can go as a sale at those prices.
 */
async function takeCheckout({ order, total, off, place, shop, staff, pay }: Taking): Promise<Entry> {
  const { member } = order;
  const body = { ...wishOf(order, total, place, shop), staff: staff.slice(0, 64), ttl_seconds: checkoutFor };
  const q = await ok(api.POST('/v1/checkouts', { body, params: { header: { 'Idempotency-Key': newKey() } }, signal: AbortSignal.timeout(8000) }));
  if (q.off !== off) {
    void api.POST('/v1/checkouts/{id}/release', { params: { path: { id: q.id }, header: { 'Idempotency-Key': newKey() } } }).catch(() => undefined); // it ends by itself
    throw new ApiProblem({ code: changed, status: 409, title: '', detail: '' });
  }
  const kindOf = (currency: string) => (member?.wallets?.find((w) => w.currency === currency)?.kind === 'stored' ? 'stored_value' : 'points');
  const payments: SaleNewPayment[] = (q.spends ?? []).map((s) => ({ kind: kindOf(s.currency), amount: s.worth, ...(s.hold_id ? { reference: s.hold_id } : {}) }));
  if (q.to_pay > 0) payments.push({ kind: pay, amount: q.to_pay });
  const at = now().toISOString();
  const lines = linesOf(order, total).map((l, i) => ({ ...l, amount: q.lines?.[i]?.pay ?? l.amount }));
  const discounts = [
    ...(q.standing ?? []).map((d) => ({ kind: d.kind, ref: d.code, amount: d.off })),
    ...(q.coupons ?? []).map((c) => ({ kind: 'coupon', ref: c.code, amount: c.off })),
  ];
  return enter(seriesOf(place), (n) => {
    const document = documentOf(place.till, place.device, n);
    const sale: SaleNew = { source: sourceOf(place.storeCode, place.till), document, at, currency: shop.currency, total: total - q.off, lines, store: place.store, till: place.till, staff: staff.slice(0, 64), channel: 'store', payments, discounts };
    if (member?.id) sale.member = member.id;
    return { document, n, key: order.id, sale, checkout: q.id, state: 'waiting', tries: 0, ...(member?.number ? { who: { name: maskName(member.name), number: member.number } } : {}) };
  });
}

/** What a sale would earn, at the prices that were quoted: asked of the server, which keeps nothing of it. */
export async function previewOf(o: Order, total: number, quote: TillCheckoutView | undefined, place: Place, shop: Shop, signal: AbortSignal) {
  const off = o.coupons.length ? 0 : (quote?.off ?? 0); // what coupons take off, the server works out itself
  const lines = linesOf(o, total).map((l, i) => (off > 0 ? { ...l, amount: quote?.lines?.[i]?.pay ?? l.amount } : l));
  const sale: SaleNew = { source: sourceOf(place.storeCode, place.till), document: 'preview', at: now().toISOString(), currency: shop.currency, total: total - off, lines, store: place.store, till: place.till };
  return ok(api.POST('/v1/sales', { body: { ...sale, member: o.member!.id!, ...(o.coupons.length ? { coupons: o.coupons } : {}) }, params: { query: { dry_run: true, explain: true }, header: { 'Idempotency-Key': newKey() } }, signal }));
}

/** A value a moment after it has stopped changing. */
export function useSettled<T>(value: T, ms = 250): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}
