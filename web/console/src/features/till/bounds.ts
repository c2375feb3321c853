/** How much of a currency one purchase takes: the currency's own bounds, as the server reckons them. */
import { pointsFor } from './queue.ts';

/** What a currency says of paying with it; what is absent or 0 does not bound. */
export interface Pay {
  least?: number;
  step?: number;
  most?: number;
  most_percent?: number;
  exclude_stores?: string[] | null;
}

export interface Bounds {
  least: number;
  step: number;
  /** 0 where nothing is taken. */
  most: number;
}

/** What of a purchase may be paid so. `rest` is what other payments leave of `total`; stores go by id and code. */
export function boundsOf(pay: Pay, millionths: number, at: { available: number; total: number; rest: number; store: string[] }): Bounds {
  const step = Math.max(1, pay.step || (millionths < 1_000_000 ? Math.ceil(1_000_000 / millionths) : 1)); // else so many as are worth a minor unit
  const least = Math.max(pay.least ?? 0, step);
  const open = pay.most_percent ? Math.min(at.rest, Math.floor((at.total * pay.most_percent) / 100)) : at.rest;
  let most = pay.exclude_stores?.some((s) => at.store.includes(s)) ? 0 : Math.min(at.available, pointsFor(Math.max(0, open), millionths));
  if (pay.most) most = Math.min(most, pay.most);
  return { least, step, most: floor(most, least, step) };
}

/** The same with what a quote says of this basket: it knows of categories that are not paid so. */
export function within(b: Bounds, quoted: { least: number; step: number; most: number } | undefined): Bounds {
  if (!quoted) return b;
  const step = Math.max(1, quoted.step);
  const least = Math.max(quoted.least, step);
  return { least, step, most: floor(Math.min(b.most, quoted.most), least, step) };
}

const floor = (most: number, least: number, step: number): number => {
  const whole = most - (most % step);
  return whole >= least ? whole : 0;
};

/** The amount that is taken for one that was wished: none, or between the bounds, in whole steps. */
export const takes = (wish: number, { least, step, most }: Bounds): number => {
  if (wish <= 0 || most === 0) return 0;
  return Math.min(most, Math.max(Math.ceil(least / step) * step, wish - (wish % step)));
};

export const fits = (n: number, { least, step, most }: Bounds): boolean => n === 0 || (n >= least && n <= most && n % step === 0);
