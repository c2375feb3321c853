import { api, ok } from '@patron/shared/api/client.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { DatePicker, Input, Select } from 'antd';
import dayjs from 'dayjs';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useActors, useCurrencies, useStores } from '../../frame/lookups.ts';
import { Page } from '../../frame/page.tsx';
import { Amount } from '../../ui/amount.tsx';
import { ExportList } from '../../ui/export-list.tsx';
import { useFilters } from '../../ui/filters.ts';
import { KeysetTable, type KeysetColumn } from '../../ui/keyset-table.tsx';
import { RuleLink } from '../../ui/rule-trace.tsx';
import { Section } from '../../ui/section.tsx';

const get = (query: { currency?: string; kind?: string; from?: string; to?: string; document?: string; cursor?: string; limit: number }) =>
  ok(api.GET('/v1/entries', { params: { query } }));
type Row = NonNullable<Awaited<ReturnType<typeof get>>['items']>[number];

/** What can be asked for; what time alone does (becoming usable, holds) moves nothing between people and shop. */
const kinds = ['earn', 'spend', 'capture', 'expire', 'clawback', 'restore', 'adjust', 'transfer_out', 'transfer_in', 'fee', 'topup', 'opening', 'merge_out', 'merge_in', 'merge_back'] as const;

/** Every movement of points, over all members, newest first, each with why. */
export default function EntriesPage() {
  const { t } = useTranslation('ledger');
  const currencies = useCurrencies();
  const stores = useStores();
  const actor = useActors();
  const filters = useFilters(['currency', 'kind', 'from', 'to', 'document'] as const);
  const f = filters.values;
  const query = { ...f, to: f.to && dayjs(f.to).add(1, 'day').format('YYYY-MM-DD') };
  const columns: KeysetColumn<Row>[] = [
    { key: 'at', title: t('column.at'), render: (_, e) => e.posted_at && <When at={e.posted_at} /> },
    { key: 'what', title: t('column.what'), render: (_, e) => e.title },
    { key: 'why', title: t('column.why'), render: (_, e) => <Why row={e} store={stores.nameOf(e.store)} actor={actor(e.actor)} /> },
    { key: 'member', title: t('column.member'), render: (_, e) => <Link to={`/members/${e.member_id}`}>{e.member_name || t('toMember')}</Link> },
    { key: 'store', title: t('column.store'), optional: true, render: (_, e) => stores.nameOf(e.store) },
    { key: 'actor', title: t('column.actor'), optional: true, render: (_, e) => actor(e.actor) },
    { key: 'currency', title: t('column.currency'), render: (_, e) => currencies.nameOf(e.currency) },
    { key: 'amount', title: t('column.amount'), align: 'right', render: (_, e) => <Amount amount={e.amount} currency={e.currency} signed /> },
    { key: 'after', title: t('column.after'), align: 'right', render: (_, e) => <Amount amount={e.available_after} currency={e.currency} /> },
  ];
  return (
    <Page title={t('menu')}>
      <Section>
        <KeysetTable<Row>
          name="entries"
          queryKey={['entries', query]}
          fetch={(cursor) => get({ ...query, cursor, limit: 50 })}
          columns={columns}
          rowKey={(e) => e.id}
          filtered={filters.active}
          onClear={filters.clear}
          actions={<ExportList list="entries" filter={query} />}
          empty={<Blank drawing="result" title={t('empty.title')} text={t('empty.text')} />}
          filters={
            <>
              <Input.Search allowClear style={{ width: 200 }} placeholder={t('filter.document')} aria-label={t('filter.document')} defaultValue={f.document} onSearch={(document) => filters.set({ document })} />
              <Select allowClear style={{ minWidth: 140 }} placeholder={t('column.currency')} aria-label={t('column.currency')} value={f.currency} options={currencies.options} onChange={(currency?: string) => filters.set({ currency })} />
              <Select allowClear style={{ minWidth: 140 }} placeholder={t('column.what')} aria-label={t('column.what')} value={f.kind} options={kinds.map((value) => ({ value, label: t(`kind.${value}`) }))} onChange={(kind?: string) => filters.set({ kind })} />
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

/** Why it happened, in a line: the reason in somebody's words, else the document, else the rule. */
function Why({ row, store, actor }: { row: Row; store: string; actor: string }) {
  const { t } = useTranslation('ledger');
  const { cause } = row;
  const document = row.document && (cause?.startsWith('sal_') ? <Link className="inline" to={`/sales/${cause}`}>{row.document}</Link> : row.document);
  const sale = !document && cause?.startsWith('sal_') && <Link className="inline" to={`/sales/${cause}`}>{t('why.sale')}</Link>;
  const parts = [row.reason, document || sale, row.rule && (row.rule === 'base' ? t('why.base') : <>{t('why.rule')} <RuleLink rule={row.rule} /></>), store, row.reason && actor].filter(Boolean);
  return <>{parts.map((part, i) => <span key={i}>{i > 0 && t('comma')}{part}</span>)}</>;
}
