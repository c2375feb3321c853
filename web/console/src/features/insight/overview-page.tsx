import { api, ok } from '@patron/shared/api/client.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Button, Segmented, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { useFilters } from '../../ui/filters.ts';
import { Section, WithAside } from '../../ui/section.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { getDashboard, type Dashboard } from './api.ts';
import { Attention } from './attention.tsx';
import { PointsChart, SalesChart } from './charts.tsx';
import { Figures, type Span } from './figures.tsx';
import { Live } from './live.tsx';

/** What there is to know at a glance: figures with what they are set against, what waits, what happens. */
export default function OverviewPage() {
  const { t } = useTranslation('insight');
  const can = useCan();
  return can('reports.read') ? <Reports /> : (
    <Page title={t('menu')}>
      <Section><Attention /></Section>
    </Page>
  );
}

/** A shop that has not begun: charts of nothing would only puzzle. */
const quiet = (dash: Dashboard) => (dash.series ?? []).every((s) => (s.days ?? []).every((d) => d.value === 0));

function Reports() {
  const { t } = useTranslation('insight');
  const { named } = useFormat();
  const { values, set } = useFilters(['store', 'span'] as const);
  const span: Span = values.span === 'today' ? 'today' : 'month';
  const stores = useQuery({ queryKey: ['stores', 'all'], queryFn: () => ok(api.GET('/v1/stores', { params: { query: { limit: 200 } } })) }).data?.items ?? [];
  const dash = useQuery({
    queryKey: ['dashboard', values.store ?? ''],
    queryFn: () => getDashboard(values.store),
    refetchInterval: 30_000,
    placeholderData: keepPreviousData,
  });
  return (
    <Page
      title={t('menu')}
      actions={
        <>
          <Select
            aria-label={t('store')}
            style={{ minWidth: 168 }}
            value={values.store ?? ''}
            onChange={(store) => set({ store })}
            showSearch={{ optionFilterProp: 'label' }}
            options={[{ value: '', label: t('stores', { count: stores.length }) }, ...stores.map((s) => ({ value: s.id, label: named(s) }))]}
          />
          <Segmented<Span>
            aria-label={t('span')}
            value={span}
            onChange={(next) => set({ span: next === 'month' ? undefined : next })}
            options={[{ value: 'today', label: t('spans.today') }, { value: 'month', label: t('spans.month') }]}
          />
        </>
      }
    >
      {dash.error && !dash.data ? (
        <Section><ErrorState error={dash.error} retry={() => void dash.refetch()} /></Section>
      ) : (
        <>
          <Figures dash={dash.data} span={span} updating={dash.isPlaceholderData} />
          <WithAside
            aside={
              <>
                <Section title={t('attention.title')}><Attention /></Section>
                <Live />
              </>
            }
          >
            {dash.data && quiet(dash.data) ? (
              <Section><Blank drawing="result" title={t('first.title')} text={t('first.text')} action={<Link to="/help"><Button>{t('first.act')}</Button></Link>} /></Section>
            ) : (
              <>
                <Section><SalesChart dash={dash.data} /></Section>
                <Section><PointsChart dash={dash.data} /></Section>
              </>
            )}
          </WithAside>
        </>
      )}
    </Page>
  );
}
