import { api, ok } from '@patron/shared/api/client.ts';
import { ChartBox } from '@patron/shared/charts/chart-box.tsx';
import type { Colors } from '@patron/shared/charts/series.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { Money } from '@patron/shared/ui/money.tsx';
import { Points } from '@patron/shared/ui/points.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, DatePicker, Select, Skeleton, Table } from 'antd';
import dayjs from 'dayjs';
import type { EChartsCoreOption } from 'echarts/core';
import { useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { useCurrencies } from '../../frame/lookups.ts';
import { Page } from '../../frame/page.tsx';
import { FigureRow } from '../../ui/figure-row.tsx';
import { useFilters } from '../../ui/filters.ts';
import { Section } from '../../ui/section.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { WideTable } from '../../ui/wide-table.tsx';

const get = (as_of: string | undefined) => ok(api.GET('/v1/reports/liability', { params: { query: { as_of } } }));
type Report = Awaited<ReturnType<typeof get>>;
type Row = NonNullable<Report['rows']>[number];

/** What the programme owes its members: by month of issue, with a chart, a table and a file. */
export default function LiabilityPage() {
  const { t } = useTranslation('ledger');
  const currencies = useCurrencies();
  const { values, set } = useFilters(['currency', 'as_of'] as const);
  const report = useQuery({ queryKey: ['liability', values.as_of ?? ''], queryFn: () => get(values.as_of) });
  const code = values.currency ?? report.data?.totals?.[0]?.currency ?? currencies.list[0]?.code ?? '';
  return (
    <Page
      title={t('liability.menu')}
      actions={
        <>
          <Select aria-label={t('column.currency')} style={{ minWidth: 140 }} value={code || undefined} options={currencies.options} onChange={(currency: string) => set({ currency })} />
          <DatePicker aria-label={t('liability.asOf')} placeholder={t('liability.now')} value={values.as_of ? dayjs(values.as_of) : null} disabledDate={(d) => d.isAfter(dayjs())} onChange={(d: dayjs.Dayjs | null) => set({ as_of: d?.format('YYYY-MM-DD') })} />
          {report.data && <Button icon={<Icon name="export" />} onClick={() => download(report.data, t('liability.file'))}>{t('liability.export')}</Button>}
        </>
      }
    >
      {report.error ? <Section><ErrorState error={report.error} retry={() => void report.refetch()} /></Section>
        : !report.data ? <Section><Skeleton active paragraph={{ rows: 8 }} /></Section>
          : <Shown report={report.data} code={code} />}
    </Page>
  );
}

function Shown({ report, code }: { report: Report; code: string }) {
  const { t } = useTranslation('ledger');
  const { points, axis } = useFormat();
  const currencies = useCurrencies();
  const decimals = currencies.decimalsOf(code);
  const total = report.totals?.find((it) => it.currency === code);
  const months = useMemo(() => byMonth(report.rows ?? [], code), [report, code]);
  const option = useCallback((c: Colors): EChartsCoreOption => {
    const unit = 10 ** decimals;
    const bar = (color: string, value: (m: Row) => number) => ({ type: 'bar', stack: 'all', barMaxWidth: 24, itemStyle: { color }, data: months.map(value) });
    return {
      xAxis: { data: months.map((m) => m.month) },
      yAxis: { axisLabel: { formatter: (n: number) => axis(n / unit) } },
      tooltip: { valueFormatter: (n: number) => points(n, { decimals }) },
      series: [
        { ...bar(c.c2, (m) => m.outstanding), name: t('liability.outstanding') },
        { ...bar(c.c3, (m) => m.redeemed), name: t('liability.redeemed') },
        { ...bar(c.c6, (m) => m.expired), name: t('liability.expired') },
      ],
    };
  }, [months, axis, points, decimals, t]);
  if (!total) return <Section><Blank drawing="result" title={t('liability.empty')} text={t('liability.emptyText')} /></Section>;
  const figure = (key: 'granted' | 'redeemed' | 'expired' | 'outstanding') => ({ key, name: t(`liability.${key}`), value: <Points amount={total[key]} decimals={decimals} />, definition: t(`liability.define.${key}`) });
  const numbers = ['granted', 'redeemed', 'expired', 'clawed_back', 'moved', 'outstanding', 'pending', 'held'] as const;
  return (
    <>
      <FigureRow
        asOf={report.as_of}
        figures={[
          figure('outstanding'),
          { key: 'value', name: t('liability.value'), value: <Money amount={total.value} currency={report.money} whole />, definition: t('liability.define.value') },
          figure('granted'), figure('redeemed'), figure('expired'),
        ]}
      />
      <Section>
        <ChartBox
          title={t('liability.chart')}
          note={currencies.nameOf(code)}
          legend={[{ label: t('liability.outstanding'), color: 'var(--c2)' }, { label: t('liability.redeemed'), color: 'var(--c3)' }, { label: t('liability.expired'), color: 'var(--c6)' }]}
          label={t('liability.chartLabel', { months: months.length, outstanding: points(total.outstanding, { decimals }) })}
          table={{ head: [t('liability.month'), t('liability.outstanding'), t('liability.redeemed'), t('liability.expired')], rows: months.map((m) => [m.month, ...[m.outstanding, m.redeemed, m.expired].map((n) => points(n, { decimals }))]) }}
          option={option}
        />
      </Section>
      <Section title={t('liability.table')}>
        <WideTable<Row>
          rowKey="month"
          dataSource={months.toReversed()}
          columns={[
            { title: t('liability.month'), dataIndex: 'month' },
            ...numbers.map((key) => ({ title: t(`liability.${key}`), align: 'right' as const, render: (_: unknown, m: Row) => points(m[key], { decimals }) })),
            { title: t('liability.value'), align: 'right' as const, render: (_: unknown, m: Row) => <Money amount={m.value} currency={report.money} /> },
          ]}
          summary={() => (
            <Table.Summary.Row>
              <Table.Summary.Cell index={0}><b>{t('liability.sum')}</b></Table.Summary.Cell>
              {numbers.map((key, i) => <Table.Summary.Cell key={key} index={i + 1} align="right"><b>{points(total[key], { decimals })}</b></Table.Summary.Cell>)}
              <Table.Summary.Cell index={9} align="right"><b><Money amount={total.value} currency={report.money} /></b></Table.Summary.Cell>
            </Table.Summary.Row>
          )}
        />
      </Section>
    </>
  );
}

/** The rows of a currency, its issuers put together. */
function byMonth(rows: Row[], code: string): Row[] {
  const out = new Map<string, Row>();
  for (const row of rows) {
    if (row.currency !== code) continue;
    const sum = out.get(row.month);
    if (!sum) {
      out.set(row.month, { ...row });
      continue;
    }
    for (const key of ['granted', 'redeemed', 'expired', 'clawed_back', 'moved', 'outstanding', 'pending', 'active', 'held', 'value'] as const) sum[key] += row[key];
  }
  return [...out.values()].sort((a, b) => a.month.localeCompare(b.month));
}

/** The report as it was read, issuer by issuer, in the smallest units. */
function download(report: Report, name: string) {
  const head = ['month', 'issuer', 'currency', 'granted', 'redeemed', 'expired', 'clawed_back', 'moved', 'outstanding', 'pending', 'active', 'held', 'value'] as const;
  const lines = [head.join(','), ...(report.rows ?? []).map((row) => head.map((key) => row[key]).join(','))];
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(['\uFEFF', lines.join('\r\n')], { type: 'text/csv' }));
  link.download = `${name}-${report.as_of.slice(0, 10)}.csv`;
  link.click();
  URL.revokeObjectURL(link.href);
}
