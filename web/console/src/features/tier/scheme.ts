import type { Tier, TierCriteria, TierScheme, TierTerm, TierWindow } from '@patron/shared/api/schema.d.ts';
import { decimalsOf } from '@patron/shared/format/format.ts';
import type { TFunction } from 'i18next';

/** A scheme as its form has it: money, growth value, points and multipliers in the units that people write. */
export type Values = Omit<TierScheme, 'tiers'> & { tiers: Tier[] };

/** How many decimals the amounts of a scheme have. */
export interface Units {
  money: string;
  pointDecimals: (currency: string) => number;
}

type Turn = (n: number, power: number) => number;
const shown: Turn = (n, power) => n / 10 ** power;
const kept: Turn = (n, power) => Math.round(n * 10 ** power);

function turn(s: Values, { money, pointDecimals }: Units, by: Turn): Values {
  const growth = s.currency ? pointDecimals(s.currency) : 0;
  const some = (n: number | undefined | null, power: number) => (n ? by(n, power) : undefined);
  const criteria = (c: TierCriteria | undefined): TierCriteria => ({ ...c, spend: some(c?.spend, decimalsOf(money)), growth: some(c?.growth, growth), visits: c?.visits || undefined, condition: c?.condition?.trim() || undefined }) as TierCriteria;
  return {
    ...s,
    tiers: s.tiers.map((tier) => ({
      ...tier,
      qualify: criteria(tier.qualify),
      keep: tier.keep && criteria(tier.keep),
      benefits: { ...tier.benefits, earn_multiplier: some(tier.benefits?.earn_multiplier, 3), discount_percent: tier.benefits?.discount_percent || undefined },
      welcome: tier.welcome?.amount && tier.welcome.currency ? { ...tier.welcome, amount: by(tier.welcome.amount, pointDecimals(tier.welcome.currency)) } : undefined,
    }) as Tier),
  };
}

/** All fields are named, so that what another version had does not stay in the form. */
const blank = { main: false, currency: undefined, keep_window: undefined, grace_days: 0, drop_on_return: false, warn_days: 0, near_percent: 0 } as unknown as Partial<Values>;

export const toForm = (s: TierScheme, units: Units): Values => turn({ ...blank, ...s, tiers: s.tiers ?? [] } as Values, units, shown);

/** A window without what another kind of it had. */
const windowOf = (w: TierWindow): TierWindow => ({ kind: w.kind, ...(w.kind === 'rolling' && { months: w.months ?? 12 }), ...(w.kind === 'calendar' && { period: w.period ?? 'year' }) });
const termOf = (w: TierTerm): TierTerm => ({
  kind: w.kind,
  ...(w.kind === 'months' && { months: w.months ?? 12 }),
  ...(w.kind === 'calendar' && { period: w.period ?? 'year' }),
  ...((w.kind === 'calendar' || w.kind === 'membership') && { next: !!w.next }),
});

/** What is not there in the form is left out, as the API wants it. */
export function fromForm(v: Values, units: Units): TierScheme {
  const out = turn({ ...v, currency: v.currency || undefined, window: windowOf(v.window), keep_window: v.keep_window && windowOf(v.keep_window), term: termOf(v.term) } as Values, units, kept);
  return JSON.parse(JSON.stringify(out, (_, value: unknown) => (value === null || value === '' ? undefined : value))) as TierScheme;
}

/** A ladder to begin with: a shop changes the amounts and is done. */
export const firstLadder = (t: TFunction<'tier'>): Values => ({
  code: 'club',
  name_zh: t('first.name_zh'),
  name_en: t('first.name_en'),
  main: true,
  window: { kind: 'rolling', months: 12 },
  term: { kind: 'months', months: 12 },
  downgrade: 'one_step',
  grace_days: 30,
  warn_days: 30,
  near_percent: 80,
  tiers: (['member', 'silver', 'gold'] as const).map((code, i) => ({
    code,
    name_zh: t(`first.${code}_zh`),
    name_en: t(`first.${code}_en`),
    color: ['#574C55', '#6F7F86', '#8A5A00'][i]!,
    icon: ['leaf', 'star', 'crown'][i]!,
    qualify: i === 0 ? {} : { any: true, spend: [0, 1000, 3000][i]!, visits: [0, 12, 24][i]! },
    benefits: i === 0 ? {} : { earn_multiplier: [1, 1.2, 1.5][i]!, birthday_gift: true },
  })),
});

export function windowInWords(t: TFunction<'tier'>, w: TierWindow | undefined): string {
  if (!w) return '';
  if (w.kind === 'rolling') return t('words.window.rolling', { count: w.months ?? 0 });
  if (w.kind === 'calendar') return t(`words.window.${w.period ?? 'year'}`);
  return t(`words.window.${w.kind}`);
}

export function termInWords(t: TFunction<'tier'>, term: TierTerm | undefined): string {
  if (!term) return '';
  if (term.kind === 'months') return t('words.term.months', { count: term.months ?? 0 });
  if (term.kind === 'calendar') return t(term.next ? 'words.term.calendarNext' : 'words.term.calendar', { period: t(`words.period.${term.period ?? 'year'}`) });
  if (term.kind === 'membership') return t(term.next ? 'words.term.membershipNext' : 'words.term.membership');
  return t(`words.term.${term.kind}`);
}

/** What the scheme does, as one would tell a colleague. */
export function schemeInWords(t: TFunction<'tier'>, s: Pick<TierScheme, 'window' | 'keep_window' | 'term' | 'grace_days' | 'downgrade' | 'drop_on_return'>): string[] {
  const out = [t('words.reach', { window: windowInWords(t, s.window) }), termInWords(t, s.term)];
  if (s.term?.kind !== 'forever') {
    if (s.keep_window) out.push(t('words.keep', { window: windowInWords(t, s.keep_window) }));
    if (s.grace_days && s.term?.kind !== 'none') out.push(t('words.grace', { count: s.grace_days }));
    out.push(t(`words.down.${s.downgrade ?? 'reassess'}`));
  }
  if (s.drop_on_return) out.push(t('words.onReturn'));
  return out;
}

export interface Difference {
  label: string;
  before: string;
  after: string;
}

interface Said {
  asks: (c: TierCriteria | undefined) => string;
  gives: (b: Tier['benefits']) => string[];
  welcome: (w: Tier['welcome']) => string;
  named: (it: { name_en?: string | undefined; name_zh?: string | undefined }) => string;
}

/** What publishing changes: the rules in words where they differ, and each tier that is new, gone or another. */
export function differences(t: TFunction<'tier'>, live: TierScheme | undefined, draft: TierScheme, said: Said): Difference[] {
  const out: Difference[] = [];
  const note = (label: string, before: string, after: string) => {
    if (before !== after) out.push({ label, before: before || t('diff.nothing'), after: after || t('diff.nothing') });
  };
  if (!live) return draft.tiers?.map((tier) => ({ label: said.named(tier), before: t('diff.new'), after: said.asks(tier.qualify) })) ?? [];
  const rules = (s: TierScheme) => schemeInWords(t, s).join(t('words.join'));
  note(t('diff.name'), said.named(live), said.named(draft));
  note(t('diff.rules'), rules(live), rules(draft));
  note(t('diff.main'), t(live.main ? 'yes' : 'no'), t(draft.main ? 'yes' : 'no'));
  note(t('field.currency'), live.currency ?? '', draft.currency ?? '');
  note(t('field.warn'), String(live.warn_days ?? 0), String(draft.warn_days ?? 0));
  note(t('field.near'), `${live.near_percent ?? 0}%`, `${draft.near_percent ?? 0}%`);
  const of = (s: TierScheme, code: string) => s.tiers?.find((tier) => tier.code === code);
  for (const code of new Set([...(live.tiers ?? []), ...(draft.tiers ?? [])].map((tier) => tier.code))) {
    const [a, b] = [of(live, code), of(draft, code)];
    const name = said.named((b ?? a)!);
    if (!a || !b) {
      note(name, a ? said.asks(a.qualify) : '', b ? said.asks(b.qualify) : t('diff.gone'));
      continue;
    }
    note(t('diff.rename', { name }), said.named(a), said.named(b));
    note(t('diff.reach', { name }), said.asks(a.qualify), said.asks(b.qualify));
    note(t('diff.keep', { name }), said.asks(a.keep ?? a.qualify), said.asks(b.keep ?? b.qualify));
    note(t('diff.gives', { name }), said.gives(a.benefits).join(t('words.join')), said.gives(b.benefits).join(t('words.join')));
    note(t('diff.welcome', { name }), said.welcome(a.welcome), said.welcome(b.welcome));
    note(t('diff.look', { name }), `${a.color ?? ''} ${a.icon ?? ''}`.trim(), `${b.color ?? ''} ${b.icon ?? ''}`.trim());
  }
  return out;
}

