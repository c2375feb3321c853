import { api, ok } from '@patron/shared/api/client.ts';
import type { RuleReport, RuleTestView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { ChartBox } from '@patron/shared/charts/chart-box.tsx';
import type { Colors } from '@patron/shared/charts/series.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Money } from '@patron/shared/ui/money.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, Progress, Select, Skeleton } from 'antd';
import dayjs from 'dayjs';
import type { EChartsCoreOption } from 'echarts/core';
import { useCallback, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { useCurrencies } from '../../frame/lookups.ts';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { Amount } from '../../ui/amount.tsx';
import { FigureRow, type Figure } from '../../ui/figure-row.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { Section } from '../../ui/section.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { useAmountText } from '../../ui/use-amount-text.ts';
import { WideTable } from '../../ui/wide-table.tsx';
import { useRuleName } from './api.ts';
import { TestState } from './test-state.tsx';
import styles from './tests.module.css';

const going = (x: RuleTestView | undefined) => x?.state === 'waiting' || x?.state === 'running';

/** One back-test: how far it is, then what would have been different. */
export default function TestPage() {
  const { t } = useTranslation('rule');
  const { id = '' } = useParams();
  const { day } = useFormat();
  const nameOf = useRuleName();
  const may = useCan()('rules.write');
  const one = useQuery({
    queryKey: ['rule-tests', id],
    queryFn: () => ok(api.GET('/v1/rules/back-tests/{id}', { params: { path: { id } } })),
    refetchInterval: (q) => (going(q.state.data) ? 1000 : false),
  });
  const cancel = useWrite((ref: string, key) => ok(api.POST('/v1/rules/back-tests/{id}/cancel', { params: { path: { id: ref }, header: { 'Idempotency-Key': key } } })), { invalidates: [['rule-tests']] });
  const test = one.data;
  const title = test ? [...(test.asked.rules ?? []).map(nameOf), ...(test.asked.without ?? []).map((code) => t('tests.withoutOne', { code }))].join(t('valid.and')) || t('tests.asLive') : t('tests.one');
  return (
    <Page
      title={title}
      crumbs={[{ to: '/rules', title: t('menu') }, { to: '/rules/tests', title: t('tab.tests') }]}
      actions={test && <>
        <TestState test={test} />
        <span className="quiet">{day(`${test.asked.from}T12:00:00Z`)} – {day(dayjs(test.asked.until).subtract(1, 'day').format('YYYY-MM-DDT12:00:00[Z]'))}</span>
        {may && going(test) && <Button loading={cancel.isPending} onClick={() => cancel.mutate(id)}>{t('tests.cancel')}</Button>}
      </>}
    >
      {one.error && !test ? <Section><ErrorState error={one.error} retry={() => void one.refetch()} /></Section>
        : !test ? <Section><Skeleton active paragraph={{ rows: 8 }} /></Section>
          : (
            <>
              {cancel.error && <Section><ProblemAlert error={cancel.error} /></Section>}
              {going(test) && (
                <Section title={t('tests.running')}>
                  <Progress percent={test.total > 0 ? Math.min(99, Math.floor((test.done / test.total) * 100)) : 0} strokeColor="var(--c2)" aria-label={t('tests.running')} />
                  <p className="quiet">{test.total > 0 ? t('tests.progress', { done: test.done.toLocaleString('en'), total: test.total.toLocaleString('en') }) : t('tests.counting')}</p>
                </Section>
              )}
              {test.state === 'failed' && <Section><p className="lead">{t('tests.failed')} {test.error}</p></Section>}
              {test.state === 'cancelled' && <Section><p className="lead">{t('tests.cancelledText')}</p></Section>}
              {test.report && <ReportView report={test.report} />}
            </>
          )}
    </Page>
  );
}

function ReportView({ report }: { report: RuleReport }) {
  const { t } = useTranslation('rule');
  const { count } = useFormat();
  const amount = useAmountText();
  const currencies = useCurrencies();
  const [code, setCode] = useState(report.currencies?.[0]?.currency ?? '');
  const of = report.currencies?.find((c) => c.currency === code);
  const diff = of ? of.points - of.was : 0;
  const figures: Figure[] = [
    { key: 'diff', name: t('report.diff'), value: <span>{diff > 0 ? '+' : ''}<Amount amount={diff} currency={code} /></span>, definition: t('report.diffText', { points: amount(of?.points ?? 0, code), was: amount(of?.was ?? 0, code) }) },
    { key: 'cost', name: t('report.cost'), value: of?.cost ? <Money amount={of.cost.amount - (of.was_cost?.amount ?? 0)} currency={of.cost.currency} signed /> : '–', definition: t(of?.cost ? 'report.costText' : 'report.noValue') },
    { key: 'touched', name: t('report.touched'), value: count(report.members_touched), definition: t('report.touchedText', { members: count(report.members) }) },
    { key: 'got', name: t('report.got'), value: count(of?.members ?? 0), definition: t('report.gotText', { was: count(of?.was_members ?? 0) }) },
    { key: 'sales', name: t('report.sales'), value: count(report.sales), definition: report.failures > 0 ? t('report.failures', { count: report.failures }) : t('report.salesText') },
  ];
  return (
    <>
      <FigureRow figures={figures} />
      {(report.currencies?.length ?? 0) > 1 && (
        <Section>
          <Select aria-label={t('then.currency')} value={code} style={{ minWidth: 140 }} options={(report.currencies ?? []).map((c) => ({ value: c.currency, label: currencies.nameOf(c.currency) }))} onChange={setCode} />
        </Section>
      )}
      <Section><DayChart report={report} code={code} /></Section>
      <Section title={t('report.rules')}>
        <WideTable
          rowKey={(r) => r.rule}
          dataSource={(report.rules ?? []).filter((r) => r.currency === code)}
          columns={[
            { title: t('column.name'), render: (_, r) => <RuleCell rule={r} /> },
            { title: t('report.draft'), align: 'right', render: (_, r) => <Amount amount={r.points} currency={r.currency} /> },
            { title: t('report.was'), align: 'right', render: (_, r) => <Amount amount={r.was} currency={r.currency} /> },
            { title: t('tests.difference'), align: 'right', render: (_, r) => <Amount amount={r.points - r.was} currency={r.currency} signed /> },
            { title: t('report.timesNow'), align: 'right', render: (_, r) => count(r.times) },
            { title: t('report.timesWas'), align: 'right', render: (_, r) => count(r.was_times) },
            { title: t('report.membersOf'), align: 'right', render: (_, r) => count(r.members) },
            { title: t('report.capped'), align: 'right', render: (_, r) => count(r.capped) },
          ]}
        />
      </Section>
      <div className={styles.two}>
        <Section title={t('report.most')} note={t('report.mostNote')}><Members rows={(report.most ?? []).filter((m) => m.currency === code)} /></Section>
        <Section title={t('report.least')} note={t('report.leastNote')}><Members rows={(report.least ?? []).filter((m) => m.currency === code)} /></Section>
      </div>
    </>
  );
}

function RuleCell({ rule }: { rule: NonNullable<RuleReport['rules']>[number] }) {
  const { t } = useTranslation('rule');
  const { named } = useFormat();
  const name = named(rule) || rule.rule;
  return rule.rule === 'base' ? <>{t('ui:trace.base')}</> : <Link to={`/rules/${rule.rule}`}>{name}</Link>;
}

function Members({ rows }: { rows: NonNullable<RuleReport['most']> }) {
  const { t } = useTranslation('rule');
  if (rows.length === 0) return <p className="quiet">{t('report.nobody')}</p>;
  return (
    <WideTable
      rowKey={(m) => m.member_id}
      dataSource={rows}
      columns={[
        { title: t('failures.member'), render: (_, m) => <Link to={`/members/${m.member_id}`}>{t('report.member', { id: m.member_id.slice(-6) })}</Link> },
        { title: t('report.draft'), align: 'right', render: (_, m) => <Amount amount={m.points} currency={m.currency} /> },
        { title: t('report.was'), align: 'right', render: (_, m) => <Amount amount={m.was} currency={m.currency} /> },
        { title: t('tests.difference'), align: 'right', render: (_, m) => <Amount amount={m.points - m.was} currency={m.currency} signed /> },
        { title: t('report.salesOf'), align: 'right', dataIndex: 'sales' },
      ]}
    />
  );
}

interface TooltipParam {
  dataIndex: number;
}

/** Day by day: what was given as bars, what the draft would have given as a line over them. */
function DayChart({ report, code }: { report: RuleReport; code: string }) {
  const { t } = useTranslation('rule');
  const { language, axis } = useFormat();
  const amount = useAmountText();
  const { decimalsOf } = useCurrencies();
  const days = useMemo(() => (report.days ?? []).filter((d) => d.currency === code), [report, code]);
  const unit = 10 ** decimalsOf(code);
  const label = useCallback((day: string) => new Intl.DateTimeFormat(language, { month: language === 'en' ? 'short' : 'numeric', day: 'numeric', timeZone: 'UTC' }).format(new Date(`${day}T00:00:00Z`)), [language]);
  const option = useCallback((c: Colors): EChartsCoreOption => ({
    xAxis: { data: days.map((d) => label(d.day)) },
    yAxis: { axisLabel: { formatter: (n: number) => axis(n / unit) } },
    tooltip: {
      formatter: (params: TooltipParam[]) => {
        const d = days[params[0]!.dataIndex]!;
        const row = (name: string, figure: string) => `<div style="display:flex;gap:24px;justify-content:space-between"><span>${name}</span><span>${figure}</span></div>`;
        return `<b>${label(d.day)}</b>${row(t('report.draft'), amount(d.points, code))}${row(t('report.was'), amount(d.was, code))}`;
      },
    },
    series: [
      { type: 'bar', barMaxWidth: 24, itemStyle: { color: c.c6, borderRadius: [3, 3, 0, 0] }, data: days.map((d) => d.was) },
      { type: 'line', symbol: days.length > 40 ? 'none' : 'circle', symbolSize: 6, lineStyle: { width: 2, color: c.c1 }, itemStyle: { color: c.c1 }, data: days.map((d) => d.points) },
    ],
  }), [days, label, axis, unit, t, amount, code]);
  return (
    <ChartBox
      title={t('report.chart')}
      legend={[{ label: t('report.draft'), color: 'var(--c1)', shape: 'line' }, { label: t('report.was'), color: 'var(--c6)' }]}
      label={t('report.chartLabel', { days: days.length })}
      table={{ head: [t('report.day'), t('report.draft'), t('report.was')], rows: days.map((d) => [label(d.day), amount(d.points, code), amount(d.was, code)]) }}
      option={option}
      height={260}
    />
  );
}
