import { api, ok } from '@patron/shared/api/client.ts';
import type { LedgerEntryView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { Select, Table } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useActors, useCurrencies, useStores } from '../../frame/lookups.ts';
import { useFilters } from '../../ui/filters.ts';
import { Amount } from '../../ui/amount.tsx';
import { RuleLink } from '../../ui/rule-trace.tsx';
import { keyOf, type Member } from './api.ts';
import styles from './part.module.css';
import { More, useMore } from './more.tsx';
import { Stamp } from './stamp.tsx';

/** Every movement, newest first, with why. A row opens to the lots that it touched. */
export function LedgerPart({ member }: { member: Member }) {
  const { t } = useTranslation('member');
  const currencies = useCurrencies();
  const who = useActors();
  const filters = useFilters(['currency'] as const);
  const chosen = filters.values.currency ?? member.wallets?.find((w) => w.kind === 'points')?.currency ?? 'all';
  const currency = chosen === 'all' ? undefined : chosen;
  const list = useMore([...keyOf(member.id), 'entries', currency ?? ''], (cursor) => ok(api.GET('/v1/members/{ref}/entries', { params: { path: { ref: member.id }, query: { currency, cursor, limit: 30 } } })));
  return (
    <>
      <div className={styles.tools}>
        <Select size="small" variant="borderless" popupMatchSelectWidth={false} aria-label={t('ledger.currency')} value={chosen} options={[...currencies.options, { value: 'all', label: t('ledger.all') }]} onChange={(next: string) => filters.set({ currency: next })} />
        <a href={`/v1/members/${member.id}/statement?format=csv${currency ? `&currency=${currency}` : ''}`} download>{t('ledger.statement')}</a>
      </div>
      <More list={list} empty={t('ledger.empty')}>
        {(rows) => (
          <Table<LedgerEntryView>
            className={styles.table}
            size="middle"
            pagination={false}
            scroll={{ x: 760 }}
            rowKey={(e) => e.id}
            dataSource={rows}
            expandable={{ expandedRowRender: (e) => <Lots entry={e} />, rowExpandable: (e) => (e.lots?.length ?? 0) > 0, columnWidth: 32 }}
            columns={[
              { key: 'at', title: t('ledger.at'), width: 92, render: (_, e) => <Stamp at={e.at} /> },
              { key: 'what', title: t('ledger.what'), width: 110, className: styles.what, render: (_, e) => e.title },
              { key: 'why', title: t('ledger.why'), className: styles.why, render: (_, e) => <Why entry={e} /> },
              {
                key: 'amount', title: t('ledger.change'), align: 'right', width: 110, className: styles.num,
                render: (_, e) => (
                  <>
                    <b><Amount amount={e.amount || e.available || e.held} currency={e.currency} signed /></b>
                    {e.pending > 0 && <div><StatusTag tone="info">{t('wallet.piece.pending')}</StatusTag></div>}
                    {e.held > 0 && <div><StatusTag tone="plain" icon="lock">{t('wallet.piece.held')}</StatusTag></div>}
                    {!currency && currencies.list.length > 1 && e.currency !== currencies.list[0]?.code && <div className="quiet">{currencies.nameOf(e.currency)}</div>}
                  </>
                ),
              },
              { key: 'after', title: t('ledger.after'), align: 'right', width: 104, className: styles.num, render: (_, e) => <Amount amount={e.available_after} currency={e.currency} /> },
              { key: 'who', title: t('ledger.who'), width: 96, className: styles.by, render: (_, e) => who(e.actor) },
            ]}
          />
        )}
      </More>
    </>
  );
}

/** One line of why: what brought it about, in words, with a way there. */
function Why({ entry: e }: { entry: LedgerEntryView }) {
  const { t } = useTranslation('member');
  const stores = useStores();
  const { cause } = e;
  const sale = cause?.startsWith('sal_') ? cause : undefined;
  const other = cause?.startsWith('mem_') ? cause : undefined;
  const parts: ReactNode[] = [];
  if (e.kind === 'expire') parts.push(t('why.expire', { count: e.lots?.length ?? 1 }));
  if (e.reason) parts.push(e.reason);
  if (sale) parts.push(<Link to={`/sales/${sale}`}>{e.document || t(e.kind === 'clawback' || e.kind === 'restore' ? 'why.return' : 'why.sale')}</Link>);
  else if (e.document) parts.push(t('why.document', { document: e.document }));
  if (other) parts.push(<Link to={`/members/${other}`}>{t('why.member')}</Link>);
  if (e.rule) parts.push(e.rule === 'base' ? t('why.base') : <>{t('why.rule')} <RuleLink rule={e.rule} /></>);
  if (e.store) parts.push(stores.nameOf(e.store));
  if (e.debt < 0) parts.push(t('why.repaid'));
  return <>{parts.map((part, i) => <span key={i}>{i > 0 && t('comma')}{part}</span>)}</>;
}

function Lots({ entry: e }: { entry: LedgerEntryView }) {
  const { t } = useTranslation('member');
  const { exact } = useFormat();
  return (
    <div className={styles.lots}>
      <ul>
        {e.lots?.map((l) => (
          <li key={l.lot_id}>
            <span>{t(l.amount < 0 ? 'lots.from' : 'lots.into', { lot: l.lot_id.slice(-6).toUpperCase() })}</span>
            <Amount amount={l.amount} currency={e.currency} signed />
          </li>
        ))}
      </ul>
      <p className="quiet">
        {t('lots.number', { number: e.number })}
        {e.source && t('comma') + t('lots.source', { source: e.source })}
        {e.posted_at && t('comma') + t('lots.posted', { at: exact(e.posted_at) })}
      </p>
    </div>
  );
}
