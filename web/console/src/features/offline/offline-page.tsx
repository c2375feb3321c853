import { api, ok } from '@patron/shared/api/client.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Money } from '@patron/shared/ui/money.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useActors, useStores } from '../../frame/lookups.ts';
import { programQuery, useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { Amount } from '../../ui/amount.tsx';
import { useFilters } from '../../ui/filters.ts';
import { KeysetTable, type KeysetColumn } from '../../ui/keyset-table.tsx';
import { Section } from '../../ui/section.tsx';
import { ViewTabs } from '../../ui/view-tabs.tsx';
import { Settle } from './settle.tsx';

const states = ['open', 'settled'] as const;
type State = (typeof states)[number];

const get = (state: State, cursor: string | undefined) => ok(api.GET('/v1/offline/conflicts', { params: { query: { state, cursor, limit: 50 } } }));
export type Conflict = NonNullable<Awaited<ReturnType<typeof get>>['items']>[number];

/** Why the books did not hold it, for the codes that have words here. */
const reasons = ['coupon.used', 'coupon.held', 'coupon.revoked', 'coupon.over', 'coupon.budget', 'ledger.insufficient', 'offline.limit'] as const;

/** What tills gave twice: who bears it, by the programme's policy or because somebody says so here. */
export default function OfflinePage() {
  const { t } = useTranslation('offline');
  const filters = useFilters(['state'] as const);
  const state = (filters.values.state ?? 'open') as State;
  const stores = useStores();
  const actor = useActors();
  const money = useQuery(programQuery).data?.currency ?? '';
  const may = useCan()('program.manage');
  const [settling, setSettling] = useState<Conflict>();
  const reason = (why: string) => {
    const known = reasons.find((r) => r === why);
    return known ? t(`why.${known}`) : t('why.other');
  };

  const columns: KeysetColumn<Conflict>[] = [
    { key: 'at', title: t('column.at'), render: (_, c) => c.at && <When at={c.at} /> },
    { key: 'where', title: t('column.where'), render: (_, c) => <>{stores.nameOf(c.store)} · {c.till}</> },
    {
      key: 'what',
      near: true,
      title: t('column.what'),
      render: (_, c) => (
        <>
          {t(`kind.${c.kind}`)} {c.kind === 'points' ? <Amount amount={c.amount} currency={c.ref} /> : c.kind === 'voucher' && <code>{c.ref}</code>}
          <div className="quiet">{reason(c.why)}</div>
        </>
      ),
    },
    { key: 'worth', near: true, title: t('column.worth'), align: 'right', render: (_, c) => <Money amount={c.worth} currency={money} /> },
    { key: 'sale', title: t('column.sale'), render: (_, c) => <Link to={`/sales/${c.sale_id}`}>{t('toSale')}</Link> },
    state === 'open'
      ? { key: 'act', near: true, title: t('column.act'), render: (_, c) => (may ? <Button size="small" onClick={() => setSettling(c)}>{t('settle.open')}</Button> : <span className="quiet">{t('notYou')}</span>) }
      : { key: 'outcome', near: true, title: t('column.outcome'), render: (_, c) => c.outcome && <StatusTag tone={c.outcome === 'nobody' ? 'plain' : 'warning'}>{c.kind === 'limit' ? t('noted') : t(`outcome.${c.outcome}`)}</StatusTag> },
    ...(state === 'settled'
      ? [{ key: 'by', title: t('column.by'), render: (_: unknown, c: Conflict) => <>{c.settled_by === 'policy' ? t('byPolicy') : actor(c.settled_by)}{c.note && <div className="quiet">{c.note}</div>}</> }]
      : []),
  ];
  return (
    <Page title={t('menu')}>
      <Section note={t('note')}>
        <ViewTabs label={t('column.outcome')} value={state} onChange={(next) => filters.set({ state: next === 'open' ? undefined : next })} items={states.map((key) => ({ key, label: t(`state.${key}`) }))} />
        <KeysetTable<Conflict>
          name="offline"
          queryKey={['offline', state]}
          fetch={(cursor) => get(state, cursor)}
          columns={columns}
          rowKey={(c) => c.id}
          empty={<Blank drawing="result" title={t(`empty.${state}`)} text={t('emptyText')} />}
        />
      </Section>
      <Settle what={settling} money={money} onClose={() => setSettling(undefined)} />
    </Page>
  );
}
