import { api, ok } from '@patron/shared/api/client.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { DatePicker, Input } from 'antd';
import dayjs from 'dayjs';
import { useTranslation } from 'react-i18next';
import { useActors, useDid } from '../../frame/lookups.ts';
import { Page } from '../../frame/page.tsx';
import { useFilters } from '../../ui/filters.ts';
import { KeysetTable, type KeysetColumn } from '../../ui/keyset-table.tsx';
import { Section } from '../../ui/section.tsx';
import styles from './audit-page.module.css';

interface Query {
  actor?: string;
  action?: string;
  subject?: string;
  from?: string;
  to?: string;
}
const get = (query: Query, cursor: string | undefined) => ok(api.GET('/v1/audit', { params: { query: { ...query, cursor, limit: 50 } } }));
type Entry = NonNullable<Awaited<ReturnType<typeof get>>['items']>[number];

/** The audit trail: rows are added and never changed, and `patron verify` finds one that is missing. */
export default function AuditPage() {
  const { t } = useTranslation('audit');
  const actor = useActors();
  const did = useDid();
  const filters = useFilters(['actor', 'action', 'subject', 'from', 'to'] as const);
  const f = filters.values;
  const query: Query = { ...f, to: f.to && dayjs(f.to).add(1, 'day').format('YYYY-MM-DD') };
  const columns: KeysetColumn<Entry>[] = [
    { key: 'at', title: t('column.at'), render: (_, e) => <When at={e.at} /> },
    { key: 'who', title: t('column.who'), render: (_, e) => (e.actor_kind === 'staff' ? actor(`staff:${e.actor}`) : e.actor ? `${t(`kind.${e.actor_kind}`)} ${e.actor}` : t(`kind.${e.actor_kind}`)) },
    { key: 'action', title: t('column.action'), render: (_, e) => <><button type="button" className="word" onClick={() => filters.set({ action: e.action })}>{did(e.action)}</button>{did(e.action) !== e.action && <div className="quiet">{e.action}</div>}</> },
    { key: 'subject', title: t('column.subject'), render: (_, e) => e.subject && <button type="button" className="word" onClick={() => filters.set({ subject: e.subject })}>{e.subject}</button> },
    { key: 'change', title: t('column.change'), render: (_, e) => <Change before={e.before} after={e.after} /> },
    { key: 'ip', title: t('column.ip'), optional: true, render: (_, e) => e.ip },
    { key: 'trace', title: t('column.trace'), optional: true, render: (_, e) => e.trace_id },
  ];
  return (
    <Page title={t('menu')}>
      <Section>
        <p className="lead">{t('lead')}</p>
        <KeysetTable<Entry>
          name="audit"
          queryKey={['audit', query]}
          fetch={(cursor) => get(query, cursor)}
          columns={columns}
          rowKey={(e) => e.id}
          filtered={filters.active}
          onClear={filters.clear}
          empty={<Blank drawing="result" title={t('empty')} text={t('lead')} />}
          filters={
            <>
              <Input.Search key={`a${f.action ?? ''}`} allowClear style={{ width: 200 }} placeholder={t('column.action')} aria-label={t('column.action')} defaultValue={f.action} onSearch={(action) => filters.set({ action })} />
              <Input.Search key={`s${f.subject ?? ''}`} allowClear style={{ width: 240 }} placeholder={t('column.subject')} aria-label={t('column.subject')} defaultValue={f.subject} onSearch={(subject) => filters.set({ subject })} />
              <DatePicker.RangePicker
                allowEmpty={[true, true]}
                value={[f.from ? dayjs(f.from) : null, f.to ? dayjs(f.to) : null]}
                onChange={(days) => filters.set({ from: days?.[0]?.format('YYYY-MM-DD'), to: days?.[1]?.format('YYYY-MM-DD') })}
              />
            </>
          }
        />
      </Section>
    </Page>
  );
}

/** What is other now, field by field: `limit: 100 → 200`. */
function Change({ before, after }: { before?: unknown; after?: unknown }) {
  const { t } = useTranslation('audit');
  const was = fieldsOf(before);
  const is = fieldsOf(after);
  const names = [...new Set([...Object.keys(was), ...Object.keys(is)])].filter((name) => was[name] !== is[name]);
  if (names.length === 0) return null;
  return (
    <ul className={styles.change}>
      {names.slice(0, shownFields).map((name) => (
        <li key={name}>
          <span>{name}</span> {was[name] !== undefined && <s>{was[name]}</s>}{was[name] !== undefined && is[name] !== undefined && ' → '}{is[name]}
        </li>
      ))}
      {names.length > shownFields && <li>{t('more', { count: names.length - shownFields })}</li>}
    </ul>
  );
}

const shownFields = 4;

function fieldsOf(value: unknown): Record<string, string> {
  if (value === undefined || value === null) return {};
  const text = (v: unknown) => (typeof v === 'string' ? v : JSON.stringify(v));
  if (typeof value !== 'object' || Array.isArray(value)) return { '': text(value) };
  const empty = (v: unknown) => v === null || (Array.isArray(v) && v.length === 0);
  return Object.fromEntries(Object.entries(value).filter(([, v]) => !empty(v)).map(([name, v]) => [name, text(v)]));
}
