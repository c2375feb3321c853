import { api, ok } from '@patron/shared/api/client.ts';
import type { RewardOrderView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { KeysetTable } from '../../ui/keyset-table.tsx';
import { StoreSelect } from '../../ui/place-select.tsx';
import { Section } from '../../ui/section.tsx';
import { ViewTabs } from '../../ui/view-tabs.tsx';
import { HandOver } from './hand-over.tsx';
import { Pages } from './pages.tsx';
import { orderTones, useRewardWords } from './words.ts';

const views = ['paid', 'fulfilled', 'held', 'done', 'cancelled', 'returned', 'all'] as const;

/** What was ordered: what waits first, the oldest first. */
export default function OrdersPage() {
  const { t } = useTranslation('reward');
  const { named } = useFormat();
  const words = useRewardWords();
  const [params, setParams] = useSearchParams();
  const [handing, setHanding] = useState(false);
  const state = views.find((v) => v === params.get('state')) ?? 'paid';
  const store = params.get('store') ?? undefined;
  const set = (key: string, value: string | undefined) => setParams((p) => {
    if (value) p.set(key, value); else p.delete(key);
    p.delete('cursor');
    return p;
  });
  const may = useCan()('points.write');
  return (
    <Page title={t('menu')} actions={may && <Button type="primary" onClick={() => setHanding(true)}>{t('hand.open')}</Button>}>
      <Pages />
      <Section>
        <ViewTabs label={t('orders.title')} items={views.map((key) => ({ key, label: t(`orders.view.${key}`) }))} value={state} onChange={(v) => set('state', v === 'paid' ? undefined : v)} />
        {state !== 'all' && <StoreSelect allowClear aria-label={t('orders.store')} placeholder={t('orders.store')} value={store} onChange={(v) => set('store', v as string | undefined)} style={{ width: 280, maxWidth: '100%', margin: '12px 0' }} />}
        <KeysetTable<RewardOrderView>
          name="reward-orders"
          queryKey={['rewards', 'orders', state, store]}
          fetch={(cursor) => ok(api.GET('/v1/reward-orders', { params: { query: { cursor, limit: 50, ...(state !== 'all' && { state, ...(store && { store }) }) } } }))}
          rowKey={(o) => o.id}
          to={(o) => `/rewards/orders/${o.id}`}
          empty={<Blank drawing="result" title={t('orders.none')} text={t('orders.noneText')} />}
          columns={[
            { key: 'reward', title: t('field.name'), render: (_, o) => <><Link to={`/rewards/orders/${o.id}`}>{named(o)}</Link><div className="quiet">{words.ordered(o)}</div></> },
            { key: 'member', title: t('orders.member'), render: (_, o) => <Link to={`/members/${o.member_id}`}>{o.member_name || t('orders.unnamed')}</Link> },
            { key: 'way', title: t('field.ways'), render: (_, o) => (o.way === 'ship' ? t('way.ship') : o.way ? (o.store_id ? named({ name_en: o.store_name_en, name_zh: o.store_name_zh }) : t('orders.anyStore')) : t('orders.atOnce')) },
            { key: 'state', title: t('field.state'), width: 130, render: (_, o) => <StatusTag tone={orderTones[o.state]}>{words.state(o)}</StatusTag> },
            { key: 'made', title: t('orders.made'), align: 'right', width: 150, render: (_, o) => <When at={o.made_at} /> },
            { key: 'until', title: t('orders.until'), align: 'right', width: 150, render: (_, o) => (o.expires_at ? <When at={o.expires_at} as="deadline" /> : '') },
          ]}
        />
      </Section>
      {handing && <HandOver onClose={() => setHanding(false)} />}
    </Page>
  );
}
