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

/** Steps of top-ups in other units: by is what one of the old is in the new. */
export function scaled(steps: Policy['top_ups'], by: number): NonNullable<Policy['top_ups']> {
  return (steps ?? []).filter((s) => s?.least && s.bonus).map((s) => ({ ...s, least: by < 1 ? s.least * by : Math.round(s.least * by), bonus: by < 1 ? s.bonus * by : Math.round(s.bonus * by) }));
}
