import type { api, ok } from '@patron/shared/api/client.ts';
import type { TFunction } from 'i18next';

export type Currency = NonNullable<Awaited<ReturnType<typeof ok<NonNullable<Awaited<ReturnType<typeof api.GET<'/v1/currencies', object>>>['data']>>>>['items']>[number];
export type Policy = Currency['policy'];

/** A policy in a sentence or two, as one would tell a colleague. */
export function policyInWords(t: TFunction<'ledger'>, p: Policy): string[] {
  const out = [p.pending_days ? t('words.pending', { count: p.pending_days }) : t('words.atOnce')];
  const e = p.expiry;
  switch (e?.policy) {
    case 'rolling':
      out.push(t('words.rolling', { time: t(`words.unit.${e.unit ?? 'month'}`, { count: e.count ?? 0 }), round: e.round ? t(`words.round.${e.round}`) : '' }));
      break;
    case 'sliding':
      out.push(t('words.sliding', { time: t(`words.unit.${e.unit ?? 'month'}`, { count: e.count ?? 0 }) }));
      break;
    case 'fixed':
      out.push(t('words.fixed', { dates: e.dates?.join(t('words.and')) ?? '' }));
      break;
    default:
      out.push(t('words.never'));
  }
  return out;
}

/** The most that pays for a purchase, in the currency's smallest unit, where the member has enough; as checkouts reckon it. */
export function mostOf(pay: Policy['pay'], millionths: number, bill: number): number {
  if (millionths <= 0) return 0;
  const step = Math.max(1, pay?.step || (millionths < 1_000_000 ? Math.ceil(1_000_000 / millionths) : 1));
  const open = pay?.most_percent ? Math.floor((bill * pay.most_percent) / 100) : bill;
  let most = Math.floor((open * 1_000_000) / millionths);
  if (pay?.most) most = Math.min(most, pay.most);
  most -= most % step;
  return most >= Math.max(pay?.least ?? 0, step) ? most : 0;
}

/** The bounds that were filled in: a field that was emptied bounds nothing. */
export const bounding = (pay: Policy['pay']): NonNullable<Policy['pay']> =>
  Object.fromEntries(Object.entries(pay ?? {}).filter(([, v]) => (Array.isArray(v) ? v.length > 0 : !!v)));
/** Steps of top-ups in other units: by is what one of the old is in the new. */
export function scaled(steps: Policy['top_ups'], by: number): NonNullable<Policy['top_ups']> {
  return (steps ?? []).filter((s) => s?.least && s.bonus).map((s) => ({ ...s, least: by < 1 ? s.least * by : Math.round(s.least * by), bonus: by < 1 ? s.bonus * by : Math.round(s.bonus * by) }));
}
