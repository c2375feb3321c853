import { api, ok } from '@patron/shared/api/client.ts';
import type { SaleView } from '@patron/shared/api/schema.d.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Money } from '@patron/shared/ui/money.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { DatePicker, Input, Select } from 'antd';
import dayjs from 'dayjs';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useStores } from '../../frame/lookups.ts';
import { Page } from '../../frame/page.tsx';
import { ExportList } from '../../ui/export-list.tsx';
import { useFilters } from '../../ui/filters.ts';
import { KeysetTable, type KeysetColumn } from '../../ui/keyset-table.tsx';
import { Section } from '../../ui/section.tsx';
import { ViewTabs } from '../../ui/view-tabs.tsx';
import { Assign } from './assign.tsx';
import { SaleState } from './sale-state.tsx';

/** The views of the list: each is a set of filters that has a name. */
const views = ['all', 'unassigned', 'waiting', 'parked'] as const;
type View = (typeof views)[number];

/** Sales and returns, newest first, with the queues of what nobody owns and of what waits. */
export default function SalesPage() {
  const { t } = useTranslation('sale');
  const stores = useStores();
  const filters = useFilters(['unassigned', 'state', 'store', 'kind', 'from', 'to', 'member', 'till', 'channel'] as const);
  const f = filters.values;
  const view: View = f.unassigned ? 'unassigned' : f.state === 'waiting' || f.state === 'parked' ? f.state : 'all';
  const [assigning, setAssigning] = useState<SaleView>();
  const query = {
    unassigned: f.unassigned === 'true' || undefined,
    state: f.state as 'waiting' | 'parked' | 'returned' | undefined,
    kind: f.kind as 'sale' | 'return' | undefined,
    store: f.store,
    member: f.member,
    till: f.till,
    channel: f.channel,
    from: f.from,
    to: f.to && dayjs(f.to).add(1, 'day').format('YYYY-MM-DD'), // the day that was chosen is in it
  };
  const columns: KeysetColumn<SaleView>[] = [
    { key: 'document', title: t('column.document'), render: (_, s) => <Link to={`/sales/${s.id}`}>{s.document}</Link> },
    { key: 'at', title: t('column.at'), render: (_, s) => <When at={s.at} /> },
    { key: 'kind', title: t('column.kind'), render: (_, s) => <SaleState sale={s} /> },
    { key: 'store', title: t('column.store'), render: (_, s) => stores.nameOf(s.store) },
    { key: 'till', title: t('column.till'), optional: true, render: (_, s) => s.till },
    { key: 'channel', title: t('column.channel'), optional: true, render: (_, s) => s.channel },
    { key: 'source', title: t('column.source'), optional: true, render: (_, s) => s.source },
    { key: 'member', title: t('column.member'), render: (_, s) => (s.member_id ? <Link to={`/members/${s.member_id}`}>{s.member_name || t('toMember')}</Link> : <span className="quiet">{t('nobody')}</span>) },
    { key: 'lines', title: t('column.lines'), align: 'right', render: (_, s) => s.lines?.length ?? 0 },
    { key: 'total', title: t('column.total'), align: 'right', render: (_, s) => <Money amount={s.kind === 'return' ? -s.total : s.total} currency={s.currency} /> },
    ...(view === 'unassigned' ? [{ key: 'act', near: true, title: t('column.act'), align: 'right' as const, render: (_: unknown, s: SaleView) => <button type="button" className="word" onClick={() => setAssigning(s)}>{t('assign.open')}</button> }] : []),
  ];
  return (
    <Page title={t('menu')}>
      <Section>
        <ViewTabs
          label={t('view.name')}
          value={view}
          onChange={(next) => filters.set({ unassigned: next === 'unassigned' ? 'true' : undefined, state: next === 'waiting' || next === 'parked' ? next : undefined, kind: undefined })}
          items={views.map((key) => ({ key, label: t(`view.${key}`) }))}
        />
        {view !== 'all' && <p className="lead">{t(`lead.${view}`)}</p>}
        <KeysetTable<SaleView>
          name="sales"
          queryKey={['sales', query]}
          fetch={(cursor) => ok(api.GET('/v1/sales', { params: { query: { ...query, cursor, limit: 50 } } }))}
          columns={columns}
          rowKey={(s) => s.id}
          to={(s) => `/sales/${s.id}`}
          filtered={filters.active}
          onClear={filters.clear}
          empty={<Blank drawing="result" title={t('empty.title')} text={t('empty.text')} />}
          actions={<ExportList list="sales" filter={{ ...query, unassigned: f.unassigned }} />}
          filters={
            <>
              <Input.Search allowClear style={{ width: 220 }} placeholder={t('filter.member')} aria-label={t('filter.member')} defaultValue={f.member} onSearch={(member) => filters.set({ member })} />
              <Select allowClear style={{ minWidth: 150 }} placeholder={t('filter.store')} aria-label={t('filter.store')} value={f.store} options={stores.options} onChange={(store?: string) => filters.set({ store })} />
              {view === 'all' && (
                <Select
                  allowClear
                  style={{ minWidth: 120 }}
                  placeholder={t('filter.kind')}
                  aria-label={t('filter.kind')}
                  value={f.state === 'returned' ? 'returned' : f.kind}
                  options={(['sale', 'return', 'returned'] as const).map((value) => ({ value, label: t(`filter.kinds.${value}`) }))}
                  onChange={(kind?: string) => filters.set(kind === 'returned' ? { state: 'returned', kind: undefined } : { kind, state: undefined })}
                />
              )}
              <DatePicker.RangePicker
                allowEmpty={[true, true]}
                value={[f.from ? dayjs(f.from) : null, f.to ? dayjs(f.to) : null]}
                onChange={(days) => filters.set({ from: days?.[0]?.format('YYYY-MM-DD'), to: days?.[1]?.format('YYYY-MM-DD') })}
              />
            </>
          }
        />
      </Section>
      <Assign sale={assigning} onClose={() => setAssigning(undefined)} />
    </Page>
  );
}
