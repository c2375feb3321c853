import { api, ok } from '@patron/shared/api/client.ts';
import type { MemberEventView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Money } from '@patron/shared/ui/money.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { Select, Skeleton } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useCurrencies } from '../../frame/lookups.ts';
import { useCan } from '../../frame/me.ts';
import { useFilters } from '../../ui/filters.ts';
import { Amount } from '../../ui/amount.tsx';
import { keyOf, type Member } from './api.ts';
import { More, useMore } from './more.tsx';
import styles from './part.module.css';

const kinds = ['sale', 'points', 'hold', 'coupon', 'reward', 'draw', 'member', 'note', 'call', 'task', 'consent'] as const;

const get = (ref: string, query: { kind?: string; cursor?: string; limit: number }) => ok(api.GET('/v1/members/{ref}/timeline', { params: { path: { ref }, query } }));

/** All that happened with the member, newest first; the filter is in the address. */
export function TimelinePart({ member }: { member: Member }) {
  const { t } = useTranslation('member');
  const filters = useFilters(['kind'] as const);
  const kind = filters.values.kind;
  const list = useMore([...keyOf(member.id), 'timeline', kind ?? ''], (cursor) => get(member.id, { kind, cursor, limit: 30 }));
  return (
    <>
      <div className={styles.tools}>
        <Select
          allowClear
          size="small"
          variant="borderless"
          mode="multiple"
          maxCount={8} // the most that one request takes
          style={{ minWidth: 180 }}
          popupMatchSelectWidth={false}
          placeholder={t('timeline.all')}
          aria-label={t('timeline.kind')}
          value={kind?.split(',') ?? []}
          options={kinds.map((value) => ({ value, label: t(`timeline.kinds.${value}`) }))}
          onChange={(chosen: string[]) => filters.set({ kind: chosen.join(',') || undefined })}
        />
        <span />
      </div>
      <More list={list} empty={t('timeline.empty')}>{(rows) => <Events rows={rows} />}</More>
    </>
  );
}

/** The last few, beside the other parts. */
export function Recent({ member, to }: { member: Member; to: string }) {
  const { t } = useTranslation('member');
  const list = useQuery({ queryKey: [...keyOf(member.id), 'recent'], queryFn: () => get(member.id, { limit: 6 }) });
  if (!list.data) return list.error ? <p className="quiet">{t('timeline.failed')}</p> : <Skeleton active title={false} paragraph={{ rows: 5 }} />;
  const rows = list.data.items ?? [];
  if (rows.length === 0) return <p className="quiet">{t('timeline.empty')}</p>;
  return (
    <>
      <Events rows={rows} />
      <Link to={to} className={styles.more}>{t('timeline.whole')}</Link>
    </>
  );
}

function Events({ rows }: { rows: MemberEventView[] }) {
  return (
    <ul className={styles.tl}>
      {rows.map((e) => (
        <li key={e.id}>
          <div>
            <div className={styles.title}><Title event={e} /></div>
            {e.text && <p className={styles.said}>{e.text}</p>}
            <p><When at={e.at} /></p>
          </div>
        </li>
      ))}
    </ul>
  );
}

interface Data {
  currency?: string;
  amount?: number;
  total?: number;
  id?: string;
  sale?: string;
  other?: string;
  from?: string;
  fields?: string[];
  added?: string[];
  removed?: string[];
  purpose?: string;
  earned?: { currency: string; amount: number }[];
  reason?: string;
  direction?: string;
  state?: string;
  outcome?: string;
  code?: string;
  order?: string;
  play?: string;
  name_en?: string;
  name_zh?: string;
}

/** What happened, as a short sentence with its figure. */
function Title({ event }: { event: MemberEventView }) {
  const { t, i18n } = useTranslation('member');
  const { named } = useFormat();
  const { list, nameOf } = useCurrencies();
  const may = useCan()('points.read');
  const d = (event.data ?? {}) as Data;
  const noun = event.type.split('.')[0];
  const type = event.type === 'approval.decided' ? `approval.${d.state}` : event.type;
  const text = i18n.exists(`member:event.${type}`) ? t(`event.${type}`) : t(noun === 'event' ? 'event.told' : 'event.other');
  let more: ReactNode;
  if (noun === 'coupon' || noun === 'reward' || noun === 'draw') {
    const name = named({ name_en: d.name_en ?? '', name_zh: d.name_zh ?? '' });
    more = name && t('quoted', { text: name });
  } else if (noun === 'event') {
    if (!i18n.exists(`member:event.${type}`)) more = type.slice(noun.length + 1); // a name that a shop's own system gave it
  } else if (event.type.startsWith('sale.') && d.total !== undefined && d.currency) {
    const earned = d.earned?.filter((p) => p.amount > 0) ?? [];
    more = <><Money amount={d.total} currency={d.currency} />{earned.map((p, i) => <span key={i}>{t('comma')}<Amount amount={p.amount} currency={p.currency} signed /></span>)}</>;
  } else if (d.amount !== undefined && d.currency) more = <>{list.find((c) => c.code === d.currency)?.kind === 'points' ? '' : `${nameOf(d.currency)} `}<Amount amount={d.amount} currency={d.currency} signed={event.type.startsWith('approval.')} /></>;
  else if (d.added || d.removed) more = [...(d.added ?? []).map((x) => `+${x}`), ...(d.removed ?? []).map((x) => `\u2212${x}`)].join(t('listComma'));
  else if (d.fields) more = d.fields.map((f) => (i18n.exists(`member:field.${f}`) ? t(`field.${f}`) : f)).join(t('listComma'));
  else if (event.type === 'call.logged' && d.outcome) more = t(`calls.outcome.${d.outcome}`);
  else if (d.purpose) more = i18n.exists(`member:purpose.${d.purpose}`) ? t(`purpose.${d.purpose}`) : d.purpose;
  else if (d.reason) more = d.reason;
  const to = event.type.startsWith('sale.') ? (d.id && `/sales/${d.id}`) : noun === 'coupon' ? d.code && `/coupons/codes?code=${d.code}` : noun === 'reward' ? d.order && may && `/rewards/orders/${d.order}` : d.other ? `/members/${d.other}` : undefined;
  return <>{to ? <Link to={to}>{text}</Link> : text}{more && <> {more}</>}</>;
}
