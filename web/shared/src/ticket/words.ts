import { useTranslation } from 'react-i18next';
import type { CouponEffect, CouponHours, CouponMinimum, SaleScope, CouponStack } from '../api/schema.d.ts';
import { symbolOf } from '../format/format.ts';
import { useFormat } from '../format/use-format.ts';

/** What a ticket says: the part of a coupon's terms that members read. */
export interface TicketTerms {
  effect: CouponEffect;
  minimum?: CouponMinimum | undefined;
  cap?: number | undefined;
  scope?: SaleScope | undefined;
  stack?: CouponStack | undefined;
  hours?: CouponHours[] | null | undefined;
  weekdays?: number[] | null | undefined;
}

/** The stub of a ticket: what it is worth, in as few signs as can be. */
export interface Stub {
  before?: string;
  figure: string;
  after?: string;
  /** Words rather than a figure: set smaller. */
  words?: boolean;
  under?: string;
}

/** Coupons in words: what one is worth, from what on, for what, when. */
export function useTicketWords(currency: string) {
  const { t } = useTranslation('ticket');
  const format = useFormat();
  const chinese = format.language === 'zh-CN';
  const money = (n: number) => format.money(n, currency, { trim: true });
  /** 9 of 9 折, or 10% of 10% off. */
  const rate = (percent: number) => (chinese ? String((10_000 - percent) / 1000) : `${percent / 100}%`);
  const percentOff = (percent: number) => (percent >= 10_000 ? t('free') : t('percentOff', { rate: rate(percent) }));

  /** 满 ¥100, 满 3 件. */
  const from = (m: CouponMinimum | undefined): string =>
    [m?.amount ? t('from.amount', { amount: money(m.amount) }) : '', m?.quantity ? t('from.quantity', { count: m.quantity }) : ''].filter(Boolean).join(t('and'));

  /** 每满 ¥100. */
  const each = (m: CouponMinimum | undefined): string =>
    [m?.amount ? t('each.amount', { amount: money(m.amount) }) : '', m?.quantity ? t('each.quantity', { count: m.quantity }) : ''].filter(Boolean).join(t('and'));

  const per = (e: CouponEffect): string =>
    e.per === 'cheapest' ? t('per.cheapest') : e.per === 'nth' ? t('per.nth', { count: e.nth ?? 2 }) : e.per === 'unit' || (e.kind === 'fixed_price' && !e.per) ? t('per.unit') : e.per === 'line' ? t('per.line') : '';

  const core = (e: CouponEffect): string => {
    const units = { count: e.units || 1 };
    const off = e.kind === 'percent' ? percentOff(e.percent ?? 0) : e.kind === 'amount' ? t('amountOff', { amount: money(e.amount ?? 0) }) : e.kind === 'fixed_price' ? t('price', { amount: money(e.amount ?? 0) })
      : e.kind === 'gift' ? t('gift', units)
        : e.kind === 'buy_get' ? ((e.percent ?? 0) === 0 || e.percent === 10_000 ? t('buyGet', { buy: e.buy, get: e.get }) : t('buyGetOff', { buy: e.buy, get: e.get, off: percentOff(e.percent!) }))
          : e.kind === 'free_delivery' ? t('delivery')
            : e.amount ? t('exchangeUpTo', { ...units, amount: money(e.amount) }) : t('exchange', units);
    const which = per(e);
    return which ? t('which', { which, off }) : off;
  };

  return {
    money,
    /** 满 ¥100 减 ¥20，最多减 ¥40: all that it is worth, in a line. */
    say({ effect: e, minimum, cap }: TicketTerms): string {
      const begins = e.per === 'step' ? each(minimum) : from(minimum);
      const said = begins ? t('with', { from: begins, core: core(e) }) : core(e);
      const times = e.times ? t('times', { count: e.times }) : '';
      return [said, times, cap ? t('cap', { amount: money(cap) }) : ''].filter(Boolean).join(t('comma'));
    },

    /** The figure that stands large, and what stands under it. */
    stub({ effect: e, minimum, cap }: TicketTerms): Stub {
      const begins = e.per === 'step' ? each(minimum) : from(minimum);
      const under = begins || (cap ? t('cap', { amount: money(cap) }) : '') || per(e);
      if ((e.kind === 'amount' || e.kind === 'fixed_price') && !(e.kind === 'amount' && !e.amount)) {
        const symbol = symbolOf(currency, format.language);
        return { before: symbol, figure: money(e.amount ?? 0).replace(symbol, '').trim(), under: e.kind === 'fixed_price' ? [t('fixed'), begins].filter(Boolean).join(' ') : under };
      }
      if (e.kind === 'percent' && (e.percent ?? 0) < 10_000) return { figure: rate(e.percent ?? 0), after: t('off'), under: per(e) || under };
      if (e.kind === 'percent') return { figure: t('free'), words: true, under: per(e) || under };
      if (e.kind === 'buy_get') return { figure: t('buyGet', { buy: e.buy, get: e.get }), words: true, under: e.percent && e.percent < 10_000 ? percentOff(e.percent) : under };
      if (e.kind === 'gift') return { figure: t('stub.gift'), words: true, under };
      if (e.kind === 'free_delivery') return { figure: t('delivery'), words: true, under };
      return { figure: t('stub.exchange', { count: e.units || 1 }), words: true, under: e.amount ? t('upTo', { amount: money(e.amount) }) : under };
    },

    /** What limits it: which products, when, and what it goes with. */
    bounds({ scope, stack, weekdays, hours }: TicketTerms): string[] {
      const some = [scope?.categories, scope?.brands, scope?.skus].filter((list) => list?.length).length; // members know no codes: the text says which
      const not = [scope?.exclude_categories, scope?.exclude_brands, scope?.exclude_skus].filter((list) => list?.length).length;
      return [
        some > 0 && t('scope'),
        not > 0 && t('except'),
        (weekdays ?? []).length > 0 && t('days', { list: (weekdays ?? []).map((d) => t(`day.${d}`)).join(t('listed')) }),
        (hours ?? []).length > 0 && (hours ?? []).map((h) => `${h.from}–${h.until}`).join(t('listed')),
        stack?.class === 'exclusive' && t('alone'),
        stack?.class === 'best' && t('oneOf'),
      ].filter((x): x is string => !!x);
    },
  };
}
