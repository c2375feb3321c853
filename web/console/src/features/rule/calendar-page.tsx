import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { Page } from '../../frame/page.tsx';
import { Section } from '../../ui/section.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { rulesListQuery, useRuleName, useSaid, type Rule } from './api.ts';
import styles from './calendar-page.module.css';
import { countsOn, daysOf } from './days.ts';
import { RuleState } from './rule-state.tsx';
import { RulesTabs } from './rules-tabs.tsx';
import { useDays } from './validity.tsx';

/** What runs when: a row for each rule, a column for each day of a month. */
export default function CalendarPage() {
  const { t } = useTranslation('rule');
  const { language, zone } = useFormat();
  const [params, setParams] = useSearchParams();
  const today = new Date().toLocaleDateString('sv-SE', { timeZone: zone });
  const asked = params.get('month') ?? '';
  const month = /^\d{4}-(0[1-9]|1[0-2])$/.test(asked) ? asked : today.slice(0, 7);
  const list = useQuery(rulesListQuery);
  const rules = (list.data ?? []).filter((r) => r.state !== 'draft' && r.state !== 'ended');
  const days = daysOf(month);
  const move = (by: number) => {
    const next = new Date(Date.UTC(Number(month.slice(0, 4)), Number(month.slice(5)) - 1 + by, 1)).toISOString().slice(0, 7);
    setParams(next === today.slice(0, 7) ? {} : { month: next });
  };
  const title = new Intl.DateTimeFormat(language, { year: 'numeric', month: 'long', timeZone: 'UTC' }).format(new Date(`${month}-15T00:00:00Z`));
  return (
    <Page title={t('menu')}>
      <RulesTabs />
      <Section>
        <div className={styles.head}>
          <h2 aria-live="polite">{title}</h2>
          <Button icon={<Icon name="back" />} aria-label={t('calendar.before')} onClick={() => move(-1)} />
          <Button icon={<Icon name="right" />} aria-label={t('calendar.after')} onClick={() => move(1)} />
          {month !== today.slice(0, 7) && <Button onClick={() => setParams({})}>{t('calendar.today')}</Button>}
        </div>
        {list.error ? <ErrorState error={list.error} retry={() => void list.refetch()} />
          : !list.data ? <Skeleton active paragraph={{ rows: 6 }} />
            : rules.length === 0 ? <Blank drawing="result" title={t('calendar.empty')} text={t('calendar.emptyText')} />
              : <Grid rules={rules} days={days} today={today} />}
      </Section>
    </Page>
  );
}

/** Where the month is wider than the screen, today is in sight. */
function toToday(box: HTMLDivElement | null) {
  const today = box?.querySelector<HTMLElement>('thead [data-today]');
  if (box && today && box.scrollWidth > box.clientWidth) box.scrollLeft = today.offsetLeft - box.clientWidth + 96;
}

function Grid({ rules, days, today }: { rules: Rule[]; days: string[]; today: string }) {
  const { t } = useTranslation('rule');
  const { language, zone } = useFormat();
  const nameOf = useRuleName();
  const said = useSaid();
  const inWords = useDays();
  const narrow = new Intl.DateTimeFormat(language, { weekday: 'narrow', timeZone: 'UTC' });
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reached by keyboard
    <div ref={toToday} className={styles.scroll} role="region" aria-label={t('tab.calendar')} tabIndex={0}>
      <table className={styles.grid}>
        <thead>
          <tr>
            <th scope="col">{t('column.name')}</th>
            {days.map((d) => {
              const date = new Date(`${d}T00:00:00Z`);
              return <th key={d} scope="col" data-today={d === today || undefined} data-rest={[0, 6].includes(date.getUTCDay()) || undefined}><span>{narrow.format(date)}</span>{Number(d.slice(8))}</th>;
            })}
          </tr>
        </thead>
        <tbody>
          {rules.map((r) => {
            const on = days.map((d) => runs(r, d, zone));
            const words = inWords(r.rule);
            return (
              <tr key={r.id}>
                <th scope="row">
                  <Link to={`/rules/${r.id}`} title={said(r.words)}>{nameOf(r.rule)}</Link>
                  <div className={styles.sub}><RuleState state={r.state} />{words.length > 0 && <span>{words.join(t('valid.join'))}</span>}</div>
                </th>
                {days.map((d, i) => (
                  <td key={d} data-today={d === today || undefined} data-rest={[0, 6].includes(new Date(`${d}T00:00:00Z`).getUTCDay()) || undefined}>
                    {on[i] && <i data-first={!on[i - 1] || undefined} data-last={!on[i + 1] || undefined} data-paused={r.state === 'paused' || undefined}><span className="visually-hidden">{t('calendar.on')}</span></i>}
                  </td>
                ))}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

/** Whether a rule counts on a day, as it is planned now. */
function runs(r: Rule, day: string, zone: string): boolean {
  const dayOf = (at: string) => new Date(at).toLocaleDateString('sv-SE', { timeZone: zone });
  const planned = r.next && dayOf(r.next.from);
  if (r.state === 'scheduled' && planned && day < planned) return false;
  if (r.next && r.next.version === 0 && planned && day > planned) return false;
  if (r.live_from && r.latest_version === 1 && day < dayOf(r.live_from)) return false;
  return countsOn(r.rule, day);
}
