import { api, ok } from '@patron/shared/api/client.ts';
import type { PlanFigure, PlanView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { Money } from '@patron/shared/ui/money.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, DatePicker, Skeleton } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { FigureRow } from '../../ui/figure-row.tsx';
import { useFilters } from '../../ui/filters.ts';
import { Section } from '../../ui/section.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { WideTable } from '../../ui/wide-table.tsx';
import { State } from './state.tsx';

/** All plans, with what they brought in a month. */
export default function PlansPage() {
  const { t } = useTranslation('plan');
  const can = useCan();
  const navigate = useNavigate();
  const { values, set } = useFilters(['month'] as const);
  const plans = useQuery({ queryKey: ['plans'], queryFn: () => ok(api.GET('/v1/plans')) });
  const report = useQuery({ queryKey: ['plans', 'report', values.month ?? ''], enabled: can('reports.read'), queryFn: () => ok(api.GET('/v1/reports/plans', { params: { query: { month: values.month } } })) });
  const items = plans.data?.items ?? [];
  const none = plans.data !== undefined && items.length === 0; // then the empty page has the button
  const add = can('rules.write') && <Button type={none ? 'primary' : 'default'} icon={<Icon name="plus" size={18} />} onClick={() => void navigate('/plans/new')}>{t('add')}</Button>;
  return (
    <Page
      title={t('menu')}
      actions={!none && (
        <>
          {can('reports.read') && <DatePicker picker="month" aria-label={t('month')} placeholder={t('thisMonth')} value={values.month ? dayjs(`${values.month}-01`) : null} disabledDate={(d: Dayjs) => d.isAfter(dayjs())} onChange={(d: Dayjs | null) => set({ month: d?.format('YYYY-MM') })} />}
          {add}
        </>
      )}
    >
      {plans.error ? <Section><ErrorState error={plans.error} retry={() => void plans.refetch()} /></Section>
        : !plans.data ? <Section><Skeleton active paragraph={{ rows: 8 }} /></Section>
          : items.length === 0 ? <Section><Blank drawing="coupon" title={t('empty.title')} text={t('empty.text')} action={add} /></Section>
            : (
              <>
                {report.error ? <Section><ErrorState error={report.error} retry={() => void report.refetch()} /></Section> : can('reports.read') && <Figures of={report.data?.total} currency={report.data?.currency ?? ''} updating={report.isFetching} />}
                <Section><List plans={items} figures={report.data?.plans ?? []} currency={report.data?.currency} /></Section>
              </>
            )}
    </Page>
  );
}

function Figures({ of: f, currency, updating }: { of: PlanFigure | undefined; currency: string; updating: boolean }) {
  const { t } = useTranslation('plan');
  const { count, percent } = useFormat();
  return (
    <FigureRow
      updating={updating && f !== undefined}
      figures={[
        { key: 'active', name: t('figure.active'), value: f && count(f.active + f.cancelled_at_end), definition: t('figure.activeIs') },
        { key: 'trial', name: t('figure.trial'), value: f && count(f.trial), definition: t('figure.trialIs') },
        { key: 'grace', name: t('figure.grace'), value: f && count(f.grace), definition: t('figure.graceIs') },
        { key: 'net', name: t('figure.net'), value: f && <Money amount={f.net} currency={currency} whole />, definition: t('figure.netIs') },
        { key: 'churn', name: t('figure.churn'), value: f && (f.churn === undefined ? '–' : percent(f.churn)), definition: t('figure.churnIs') },
      ]}
    />
  );
}

function List({ plans, figures, currency }: { plans: PlanView[]; figures: PlanFigure[]; currency: string | undefined }) {
  const { t } = useTranslation('plan');
  const { named, count } = useFormat();
  const of = (p: PlanView) => figures.find((f) => f.plan === p.code);
  return (
    <WideTable<PlanView>
      rowKey={(p) => p.id}
      dataSource={plans}
      columns={[
        { key: 'name', title: t('field.name'), render: (_, p) => <Link to={`/plans/${p.code}`}>{named(p.terms)}</Link> },
        { key: 'state', title: t('field.state'), width: 120, render: (_, p) => <State state={p.state} /> },
        { key: 'price', title: t('field.price'), align: 'right', width: 130, render: (_, p) => <>{<Money {...p.terms.price} />}<div className="quiet">{t(`every.${p.terms.every}`)}</div></> },
        { key: 'active', title: t('figure.active'), align: 'right', width: 90, render: (_, p) => count((of(p)?.active ?? 0) + (of(p)?.cancelled_at_end ?? 0)) },
        { key: 'trial', title: t('figure.trial'), align: 'right', width: 90, render: (_, p) => count(of(p)?.trial ?? 0) },
        { key: 'begun', title: t('figure.begun'), align: 'right', width: 90, render: (_, p) => count(of(p)?.begun ?? 0) },
        { key: 'ended', title: t('figure.ended'), align: 'right', width: 90, render: (_, p) => count(of(p)?.ended ?? 0) },
        { key: 'net', title: t('figure.net'), align: 'right', width: 130, render: (_, p) => currency && <Money amount={of(p)?.net ?? 0} currency={currency} /> },
      ]}
    />
  );
}
