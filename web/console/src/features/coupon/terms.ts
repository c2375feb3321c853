import type { CouponFromSale, CouponTerms, CouponView } from '@patron/shared/api/schema.d.ts';
import dayjs, { type Dayjs } from 'dayjs';

/** The form of a coupon: money in whole units, times as days of a picker, the rest as the API has it. */
export interface Values extends Omit<CouponTerms, 'from' | 'until' | 'valid' | 'from_sale'> {
  code: string;
  days?: [Dayjs | null, Dayjs | null] | null;
  valid?: { days?: number | null; hours?: number | null; wait_hours?: number | null; days_from_first_use?: number | null; from?: Dayjs | null; until?: Dayjs | null };
  /** Whether purchases give one for a next time. */
  next?: boolean;
  from_sale?: CouponFromSale | undefined;
  /** What a code is: one each, or one for all. */
  shared?: boolean;
}

const scale = (n: number | null | undefined, by: number) => (n ? Math.round(n * by) : undefined);

/** Terms as the form shows them; unit is how many minor units one of money has. */
export function valuesOf(c: CouponView, unit: number): Values {
  const { from, until, valid, ...terms } = c; // what is no term goes along unseen: termsOf names what is sent
  return {
    ...terms,
    effect: { ...c.effect, per: c.effect.per ?? 'order', ...(c.effect.percent && { percent: c.effect.percent / 100 }), ...(c.effect.amount && { amount: c.effect.amount / unit }) },
    minimum: { ...c.minimum, ...(c.minimum?.amount && { amount: c.minimum.amount / unit }) },
    ...(c.cap && { cap: c.cap / unit }),
    limits: { ...c.limits, ...(c.limits?.budget && { budget: c.limits.budget / unit }) },
    days: from || until ? [from ? dayjs(from) : null, until ? dayjs(until) : null] : null,
    valid: { ...valid, days: valid?.days ?? null, from: valid?.from ? dayjs(valid.from) : null, until: valid?.until ? dayjs(valid.until) : null },
    next: !!c.from_sale,
    from_sale: { ...c.from_sale, ...(c.from_sale?.amount && { amount: c.from_sale.amount / unit }) },
    stack: { class: c.stack?.class ?? 'joint', order: c.stack?.order },
    shared: !!c.shared_code,
  } as Values;
}

export const fresh: Values = { code: '', effect: { kind: 'amount', per: 'order' }, minimum: {}, limits: {}, stack: { class: 'joint' }, valid: { days: 30 }, listed: true, shared: false } as Values;

/** What is sent: what the kind of effect has no use for is left out. */
export function termsOf(v: Values, unit: number): CouponTerms {
  const e = v.effect;
  const has = { percent: e.kind === 'percent' || e.kind === 'buy_get', amount: e.kind === 'amount' || e.kind === 'fixed_price' || e.kind === 'exchange', per: e.kind === 'percent' || e.kind === 'amount' || e.kind === 'fixed_price' };
  const shared = !!v.shared;
  const terms = {
    name_zh: v.name_zh, name_en: v.name_en, text_zh: v.text_zh, text_en: v.text_en, picture: v.picture, internal_note: v.internal_note,
    effect: {
      kind: e.kind,
      ...(has.percent && { percent: scale(e.percent, 100) }), ...(has.amount && { amount: scale(e.amount, unit) }),
      ...(has.per && e.per && e.per !== 'order' && { per: e.per }), ...(has.per && e.per === 'nth' && { nth: e.nth ?? 2 }),
      ...(e.kind === 'buy_get' && { buy: e.buy ?? 1, get: e.get ?? 1 }),
      ...((e.kind === 'gift' || e.kind === 'exchange') && e.units && { units: e.units }), ...(e.kind === 'gift' && { skus: e.skus ?? [] }),
      ...(e.times && { times: e.times }),
    },
    minimum: { ...(v.minimum?.amount && { amount: scale(v.minimum.amount, unit) }), ...(v.minimum?.quantity && { quantity: v.minimum.quantity }), ...(v.minimum?.base && { base: v.minimum.base }) },
    scope: Object.fromEntries(Object.entries(v.scope ?? {}).filter(([, list]) => Array.isArray(list) && list.length > 0)),
    stores: v.stores ?? [], channels: v.channels ?? [], weekdays: v.weekdays ?? [], hours: (v.hours ?? []).filter((h) => h?.from && h.until),
    condition: v.condition, audience: v.audience, cap: scale(v.cap, unit), partial: v.partial,
    from: v.days?.[0]?.startOf('minute').toISOString(), until: v.days?.[1]?.startOf('minute').toISOString(),
    valid: shared ? {} : {
      from: v.valid?.from?.startOf('minute').toISOString(), until: v.valid?.until?.startOf('minute').toISOString(),
      days: v.valid?.days, hours: v.valid?.hours, wait_hours: v.valid?.wait_hours, ...((v.times ?? 1) > 1 && { days_from_first_use: v.valid?.days_from_first_use }),
    },
    limits: { ...v.limits, budget: scale(v.limits?.budget, unit), ...(shared && { stock: undefined, per_member: undefined }) },
    ...(!shared && { times: v.times, transferable: v.transferable, listed: v.listed, price: v.price?.currency && v.price.amount ? v.price : undefined, grant_on: (v.grant_on ?? []).filter((g) => g?.on).map((g) => ({ on: g.on, ...(g.on === 'tier_reached' && { tier: g.tier }), ...(g.on === 'birthday' && { days_before: g.days_before }) })), from_sale: v.next ? { ...v.from_sale, amount: scale(v.from_sale?.amount, unit) ?? 0 } : undefined }),
    bearer: v.bearer, stack: v.stack, returns: v.returns, shared_code: shared ? v.shared_code : undefined,
  };
  return drop(terms) as CouponTerms;
}

/** Without what is not said: empty texts, nulls and zeros are what their absence is. */
function drop(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(drop);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(Object.entries(value).filter(([, x]) => x !== undefined && x !== null && x !== '' && x !== 0).map(([k, x]) => [k, drop(x)]));
}
