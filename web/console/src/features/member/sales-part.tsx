import { api, ok } from '@patron/shared/api/client.ts';
import type { SaleView } from '@patron/shared/api/schema.d.ts';
import { Money } from '@patron/shared/ui/money.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { Table } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useStores } from '../../frame/lookups.ts';
import { Amount } from './amount.tsx';
import { keyOf, type Member } from './api.ts';
import { More, useMore } from './more.tsx';
import styles from './part.module.css';
import { Stamp } from './stamp.tsx';

/** What the member bought and brought back; a row opens to its lines. */
export function SalesPart({ member }: { member: Member }) {
  const { t } = useTranslation('member');
  const stores = useStores();
  const list = useMore([...keyOf(member.id), 'sales'], (cursor) => ok(api.GET('/v1/sales', { params: { query: { member: member.id, cursor, limit: 20 } } })));
  return (
    <More list={list} empty={t('sales.empty')}>
      {(rows) => (
        <Table<SaleView>
          className={styles.table}
          size="middle"
          pagination={false}
          scroll={{ x: 760 }}
          rowKey={(s) => s.id}
          dataSource={rows}
          expandable={{ expandedRowRender: (s) => <Lines sale={s} />, rowExpandable: (s) => (s.lines?.length ?? 0) > 0, columnWidth: 32 }}
          columns={[
            { key: 'at', title: t('ledger.at'), width: 92, render: (_, s) => <Stamp at={s.at} /> },
            { key: 'document', title: t('sales.document'), render: (_, s) => <><Link to={`/sales/${s.id}`}>{s.document}</Link><div className="quiet">{s.lines?.slice(0, 3).map((l) => l.name || l.sku).filter(Boolean).join(t('listComma'))}</div></> },
            { key: 'kind', title: t('sales.kind'), width: 96, render: (_, s) => s.kind === 'return' ? <StatusTag tone={s.state === 'posted' ? 'plain' : 'warning'} icon="back">{t(`sales.return.${s.state}`)}</StatusTag> : s.lines?.some((l) => l.returned_quantity) ? <StatusTag tone="warning" icon="back">{t('sales.partly')}</StatusTag> : t('sales.sale') },
            { key: 'store', title: t('field.store'), width: 168, className: styles.by, render: (_, s) => stores.nameOf(s.store) },
            { key: 'points', title: t('sales.points'), align: 'right', width: 96, className: styles.num, render: (_, s) => <Earned sale={s} /> },
            { key: 'total', title: t('sales.total'), align: 'right', width: 120, className: styles.num, render: (_, s) => <b><Money amount={s.kind === 'return' ? -s.total : s.total} currency={s.currency} /></b> },
          ]}
        />
      )}
    </More>
  );
}

function Earned({ sale }: { sale: SaleView }) {
  const rows = sale.kind === 'sale' ? (sale.points ?? []).map((p) => ({ currency: p.currency, amount: p.amount })) : (sale.clawed_back ?? []).map((p) => ({ currency: p.currency, amount: -p.amount }));
  return <>{rows.map((r, i) => <div key={i}><Amount amount={r.amount} currency={r.currency} signed /></div>)}</>;
}

function Lines({ sale }: { sale: SaleView }) {
  const { t } = useTranslation('member');
  return (
    <ul className={styles.lots} style={{ maxWidth: 560 }}>
      {sale.lines?.map((l) => (
        <li key={`${l.sale_id ?? ''}/${l.line}`}>
          <span>{l.name || l.sku || t('sales.line', { line: l.line })} × {l.quantity}{l.returned_quantity ? <span className="quiet"> {t('sales.cameBack', { n: l.returned_quantity })}</span> : null}</span>
          <Money amount={l.amount} currency={sale.currency} />
        </li>
      ))}
    </ul>
  );
}
