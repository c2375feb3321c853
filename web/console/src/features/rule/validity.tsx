import { When } from '@patron/shared/ui/when.tsx';
import { useTranslation } from 'react-i18next';
import type { Definition, Rule } from './api.ts';

/** When a rule counts, in a few words: from, until, and on which days. */
export function Validity({ rule }: { rule: Rule }) {
  const { t } = useTranslation('rule');
  const { from, until } = rule.rule.valid ?? {};
  const days = useDays()(rule.rule);
  return (
    <>
      {from && until ? <><When at={instant(from)} as="day" /> – <When at={lastOf(until)} as="day" /></>
        : from ? <>{t('valid.from')} <When at={instant(from)} as="day" /></>
          : until ? <>{t('valid.until')} <When at={lastOf(until)} as="day" /></>
            : days.length === 0 ? t('valid.always') : null}
      {days.length > 0 && <div className={from || until ? 'quiet' : undefined}>{days.join(t('valid.join'))}</div>}
    </>
  );
}

const instant = (text: string) => (text.length === 10 ? `${text}T12:00:00Z` : text);

/** An end is the first instant after it: what people read is the last day. */
export const lastOf = (until: string) => new Date(new Date(instant(until)).getTime() - (until.length === 10 ? 864e5 : 1)).toISOString();

/** Days that follow each other, as first and last: 1, 2, 3, 6 is 1–3 and 6. */
function runsOf(days: number[]): [number, number][] {
  const out: [number, number][] = [];
  for (const n of [...days].sort((a, b) => a - b)) {
    const last = out.at(-1);
    if (last && n === last[1] + 1) last[1] = n;
    else out.push([n, n]);
  }
  return out;
}

/** On which days and at what times, in words. */
export function useDays() {
  const { t } = useTranslation('rule');
  return (d: Definition): string[] => {
    const v = d.valid ?? {};
    const out: string[] = [];
    if (v.weekdays?.length) out.push(runsOf(v.weekdays).map(([a, b]) => (b - a > 1 ? t('valid.to', { from: t(`weekday.${a}`), to: t(`weekday.${b}`) }) : a === b ? t(`weekday.${a}`) : [a, b].map((n) => t(`weekday.${n}`)).join(t('valid.and')))).join(t('valid.and')));
    if (v.month_days?.length) out.push(t('valid.monthDays', { days: v.month_days.map((n) => (n < 0 ? t('valid.last', { n: -n, context: n === -1 ? 'one' : undefined }) : String(n))).join(t('valid.and')) }));
    const dates = (v.dates?.length ?? 0) + (v.festivals?.length ?? 0);
    if (dates) out.push(t('valid.dates', { count: dates }));
    for (const h of v.hours ?? []) out.push(`${h.from}–${h.until}`);
    return out;
  };
}
