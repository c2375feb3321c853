import { ChartBox } from '@patron/shared/charts/chart-box.tsx';
import { hatched, type Colors } from '@patron/shared/charts/series.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Skeleton } from 'antd';
import type { EChartsCoreOption } from 'echarts/core';
import { useCallback, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import type { Dashboard } from './api.ts';

/** Values of one series, day by day; the last day is not over. */
function useSeries(dash: Dashboard | undefined, key: string) {
  return useMemo(() => dash?.series?.find((s) => s.key === key)?.days ?? [], [dash, key]);
}

function useDays() {
  const { t } = useTranslation('insight');
  const { language } = useFormat();
  return useCallback(
    (day: string, last: boolean) => {
      if (last) return t('today');
      const date = new Date(`${day}T00:00:00Z`);
      return new Intl.DateTimeFormat(language, { month: language === 'en' ? 'short' : 'numeric', day: 'numeric', timeZone: 'UTC' }).format(date);
    },
    [t, language],
  );
}

interface TooltipParam {
  dataIndex: number;
}

/** Every day's sales as a bar, the same weekday four weeks before as a tick on it. */
export function SalesChart({ dash }: { dash: Dashboard | undefined }) {
  const { t } = useTranslation('insight');
  const { money, axis } = useFormat();
  const label = useDays();
  const days = useSeries(dash, 'sales_total');
  const currency = dash?.currency ?? 'CNY';
  const option = useCallback((c: Colors): EChartsCoreOption => {
    const last = days.length - 1;
    return {
      xAxis: { data: days.map((d, i) => label(d.day, i === last)) },
      yAxis: { axisLabel: { formatter: (n: number) => axis(n / 100) } },
      tooltip: {
        formatter: (params: TooltipParam[]) => {
          const d = days[params[0]!.dataIndex]!;
          return lines(label(d.day, params[0]!.dataIndex === last), [[t('chart.sales'), money(d.value, currency)], [t('chart.before'), money(d.four_weeks_before ?? 0, currency)]]);
        },
      },
      series: [
        {
          type: 'bar',
          barMaxWidth: 24,
          itemStyle: { color: c.c1, borderRadius: [3, 3, 0, 0] },
          data: days.map((d, i) => (i === last ? { value: d.value, itemStyle: { color: c['bg-container'], borderColor: c.c1, decal: hatched(c.c1) } } : d.value)),
        },
        { type: 'line', symbol: 'rect', symbolSize: [22, 2], showSymbol: true, showAllSymbol: true, lineStyle: { width: 0 }, itemStyle: { color: c['text-3'] }, data: days.map((d) => d.four_weeks_before ?? 0) },
      ],
    };
  }, [days, label, axis, money, t, currency]);
  if (!dash) return <Skeleton active paragraph={{ rows: 7 }} />;
  const total = days.reduce((sum, d) => sum + d.value, 0);
  return (
    <ChartBox
      title={t('chart.salesTitle')}
      note={t('chart.salesNote', { days: days.length })}
      legend={[{ label: t('chart.sales'), color: 'var(--c1)' }, { label: t('chart.before'), color: 'var(--text-3)', shape: 'line' }]}
      label={t('chart.salesLabel', { days: days.length, total: money(total, currency, { whole: true }) })}
      table={{ head: [t('chart.day'), t('chart.sales'), t('chart.before')], rows: days.map((d, i) => [label(d.day, i === days.length - 1), money(d.value, currency), money(d.four_weeks_before ?? 0, currency)]) }}
      option={option}
      height={260}
    />
  );
}

/** Points issued go up from the line, points used and expired go down: never two axes. */
export function PointsChart({ dash }: { dash: Dashboard | undefined }) {
  const { t } = useTranslation('insight');
  const { points, axis } = useFormat();
  const label = useDays();
  const issued = useSeries(dash, 'points_issued');
  const redeemed = useSeries(dash, 'points_redeemed');
  const expired = useSeries(dash, 'points_expired');
  const decimals = dash?.point_decimals ?? 0;
  const option = useCallback((c: Colors): EChartsCoreOption => {
    const last = issued.length - 1;
    const unit = 10 ** decimals;
    return {
      xAxis: { data: issued.map((d, i) => label(d.day, i === last)), axisLine: { onZero: true } },
      yAxis: { min: null, axisLabel: { formatter: (n: number) => axis(Math.abs(n) / unit) } },
      tooltip: {
        formatter: (params: TooltipParam[]) => {
          const i = params[0]!.dataIndex;
          return lines(label(issued[i]!.day, i === last), [
            [t('chart.issued'), points(issued[i]!.value, { decimals })],
            [t('chart.used'), points(redeemed[i]?.value ?? 0, { decimals })],
            [t('chart.expired'), points(expired[i]?.value ?? 0, { decimals })],
          ]);
        },
      },
      series: [
        { type: 'bar', stack: 'all', barMaxWidth: 24, itemStyle: { color: c.c2, borderRadius: [3, 3, 0, 0] }, data: issued.map((d) => d.value) },
        { type: 'bar', stack: 'all', barMaxWidth: 24, itemStyle: { color: c.c3 }, data: redeemed.map((d) => -d.value) },
        { type: 'bar', stack: 'all', barMaxWidth: 24, itemStyle: { color: c.c6 }, data: expired.map((d) => -d.value) },
      ],
    };
  }, [issued, redeemed, expired, label, axis, points, t, decimals]);
  if (!dash) return <Skeleton active paragraph={{ rows: 5 }} />;
  const sum = (list: { value: number }[]) => points(list.reduce((n, d) => n + d.value, 0), { decimals });
  return (
    <ChartBox
      title={t('chart.pointsTitle')}
      legend={[{ label: t('chart.issuedUp'), color: 'var(--c2)' }, { label: t('chart.usedDown'), color: 'var(--c3)' }, { label: t('chart.expired'), color: 'var(--c6)' }]}
      label={t('chart.pointsLabel', { days: issued.length, issued: sum(issued), used: sum(redeemed), expired: sum(expired) })}
      table={{
        head: [t('chart.day'), t('chart.issued'), t('chart.used'), t('chart.expired')],
        rows: issued.map((d, i) => [label(d.day, i === issued.length - 1), points(d.value, { decimals }), points(redeemed[i]?.value ?? 0, { decimals }), points(expired[i]?.value ?? 0, { decimals })]),
      }}
      option={option}
      height={180}
    />
  );
}

/** The text of a tooltip: a head, and names with their figures. None of it comes from outside. */
function lines(head: string, rows: [string, string][]): string {
  const row = ([name, figure]: [string, string]) => `<div style="display:flex;gap:24px;justify-content:space-between"><span>${name}</span><span>${figure}</span></div>`;
  return `<b>${head}</b>${rows.map(row).join('')}`;
}
