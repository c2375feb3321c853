import { useFormat } from '@patron/shared/format/use-format.ts';
import { useTranslation } from 'react-i18next';
import { useAmountText } from '../../ui/use-amount-text.ts';
import type { Definition } from './api.ts';
import { useOwnMoney } from './inputs.tsx';

export interface Fact {
  key: string;
  label: string;
  text: string;
}

/** What a rule says, field by field in words: what two versions are compared by. */
export function useFacts() {
  const { t } = useTranslation('rule');
  const { money } = useFormat();
  const { currency } = useOwnMoney();
  const amount = useAmountText();
  return (d: Definition): Fact[] => {
    const e = d.effect;
    const sum = (n: number) => money(n, currency, { trim: true });
    const points = (n: number) => amount(n, e.currency ?? '');
    const list = (l: readonly (string | number)[] | null | undefined) => (l ?? []).join(t('valid.and'));
    const out: (Fact | undefined)[] = [
      fact('name_zh', t('name.zh'), d.name_zh),
      fact('name_en', t('name.en'), d.name_en),
      fact('description_zh', t('name.descriptionZh'), d.description_zh),
      fact('description_en', t('name.descriptionEn'), d.description_en),
      fact('trigger', t('column.trigger'), [t(`when.${d.trigger.on}`), d.trigger.event, d.trigger.tier, list(d.trigger.years), d.trigger.days_before].filter(Boolean).join(' ')),
      fact('condition', t('fact.condition'), d.condition),
      fact('stores', t('if.stores'), list(d.scope?.stores)),
      fact('channels', t('if.channels'), list(d.scope?.channels)),
      ...(['categories', 'brands', 'skus', 'not_categories', 'not_brands', 'not_skus'] as const).map((k) => fact(k, t(`goods.${k}`), list(d.scope?.[k]))),
      fact('line', t('goods.line'), d.scope?.line),
      fact('kind', t('then.kind'), t(`then.kinds.${e.kind}`)),
      fact('currency', t('then.currency'), e.currency),
      fact('points', t('then.points'), e.points ? points(e.points) : ''),
      fact('per', t('then.per'), e.per ? sum(e.per) : ''),
      fact('each', t('then.each'), e.each && e.kind === 'fixed' ? t(`then.eachOf.${e.each}`) : ''),
      fact('percent', t('then.factor'), e.percent ? `× ${e.percent / 100}` : ''),
      fact('base', t('then.base'), e.kind === 'multiplier' ? t(`then.bases.${d.stack?.base ?? 'running'}`) : ''),
      fact('steps', t('then.kinds.steps'), (e.steps ?? []).map((s) => `${sum(s.from)} → ${points(s.points)}${s.per ? ` / ${sum(s.per)}` : ''}`).join(t('valid.join'))),
      fact('tag', t('then.tag'), e.tag),
      fact('rounding', t('then.rounding'), t(`then.roundings.${e.carry ? 'carry' : (e.rounding ?? 'floor')}`)),
      fact('pending', t('then.pending'), e.pending_days),
      fact('expires', t('then.expires'), e.expires_after_days),
      fact('on_points', t('then.onPoints'), e.earns_on_points ? t('builder.yes') : ''),
      fact('on_coupons', t('then.onCoupons'), e.earns_on_coupons ? t('builder.yes') : ''),
      fact('from', t('valid.from'), d.valid?.from?.slice(0, 16).replace('T', ' ')),
      fact('until', t('valid.until'), d.valid?.until?.slice(0, 16).replace('T', ' ')),
      fact('weekdays', t('limit.weekdays'), list(d.valid?.weekdays?.map((n) => t(`weekday.${n}`)))),
      fact('month_days', t('limit.month_days'), list(d.valid?.month_days)),
      fact('hours', t('limit.hours'), list(d.valid?.hours?.map((h) => `${h.from}–${h.until}`))),
      fact('festivals', t('limit.festivals'), list(d.valid?.festivals)),
      fact('dates', t('limit.dates'), list(d.valid?.dates)),
      ...(['sale', 'day', 'week', 'month', 'ever'] as const).map((k) => fact(`cap_${k}`, t(`cap.${k}`), d.caps?.[k] ? points(d.caps[k]) : '')),
      ...(['times_day', 'times_week', 'times_month', 'times_ever'] as const).map((k) => fact(`cap_${k}`, t(`cap.${k}`), d.caps?.[k])),
      fact('budget', t('column.budget'), d.caps?.budget ? points(d.caps.budget) : ''),
      fact('group', t('with.group'), d.stack?.group),
      fact('stage', t('column.stage'), d.stack?.stage),
      fact('priority', t('with.priorityLabel'), d.stack?.priority),
    ];
    return out.filter((f) => f !== undefined);
  };
}

const fact = (key: string, label: string, value: string | number | undefined): Fact | undefined => (value ? { key, label, text: String(value) } : undefined);

export interface Difference {
  key: string;
  label: string;
  before: string;
  after: string;
}

/** What of two lists of facts differs, in the order of the later one. */
export function differences(before: Fact[], after: Fact[]): Difference[] {
  const old = new Map(before.map((f) => [f.key, f]));
  const now = new Map(after.map((f) => [f.key, f]));
  const keys = [...new Set([...after.map((f) => f.key), ...before.map((f) => f.key)])];
  return keys
    .filter((key) => old.get(key)?.text !== now.get(key)?.text)
    .map((key) => ({ key, label: (now.get(key) ?? old.get(key))!.label, before: old.get(key)?.text ?? '', after: now.get(key)?.text ?? '' }));
}
