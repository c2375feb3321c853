import { api, ok } from '@patron/shared/api/client.ts';
import type { TierHistogram, TierScheme } from '@patron/shared/api/schema.d.ts';
import { ChartBox } from '@patron/shared/charts/chart-box.tsx';
import type { Colors } from '@patron/shared/charts/series.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useStandingWords } from '@patron/shared/standing/words.ts';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Segmented, Skeleton } from 'antd';
import type { EChartsCoreOption } from 'echarts/core';
import { useCallback, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useCurrencies } from '../../frame/lookups.ts';
import { programQuery } from '../../frame/me.ts';
import { ErrorState } from '../../ui/states.tsx';

type Metric = TierHistogram['metric'];

/** How many members have how much of what counts, with the thresholds of the draft in it. */
export function Spread({ code, scheme }: { code: string; scheme: TierScheme }) {
  const { t } = useTranslation('tier');
  const [metric, setMetric] = useState<Metric>();
  const found = useQuery({
    queryKey: ['tiers', 'histogram', code, metric ?? ''],
    queryFn: () => ok(api.GET('/v1/tiers/histogram', { params: { query: { scheme: code, metric } } })),
    placeholderData: keepPreviousData,
  });
  if (found.error) return <ErrorState error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton active paragraph={{ rows: 6 }} />;
  const metrics: Metric[] = ['spend', 'visits', ...(scheme.currency ? ['growth' as const] : [])];
  return (
    <>
      <Segmented<Metric> size="small" style={{ marginBottom: 12 }} aria-label={t('spread.metric')} value={metric ?? found.data.metric} onChange={setMetric} options={metrics.map((value) => ({ value, label: t(`metric.${value}`) }))} />
      <Drawn h={found.data} scheme={scheme} />
    </>
  );
}

function Drawn({ h, scheme }: { h: TierHistogram; scheme: TierScheme }) {
  const { t } = useTranslation('tier');
  const { named, count, when } = useFormat();
  const money = useQuery(programQuery).data?.currency;
  const currencies = useCurrencies();
  const { amount } = useStandingWords({ money, decimals: scheme.currency ? currencies.decimalsOf(scheme.currency) : 0 });
  const bars = h.bars ?? [];
  const lines = (scheme.tiers ?? []).flatMap((tier) => (tier.qualify?.[h.metric] ? [{ name: named(tier), at: tier.qualify[h.metric]! }] : []));
  const key = JSON.stringify([bars, lines, h.metric, money]);
  const option = useCallback((c: Colors): EChartsCoreOption => {
    const span = bars.length;
    /** Where an amount lies among bars that need not be of one width. */
    const place = (n: number) => {
      const i = bars.findIndex((b) => n < b.to);
      if (i < 0) return span;
      const b = bars[i]!;
      return i + Math.max(0, (n - b.from) / (b.to - b.from || 1));
    };
    return {
      grid: { top: 32, right: 12 },
      tooltip: { formatter: (ps: { dataIndex: number }[]) => { const b = bars[ps[0]?.dataIndex ?? 0]; return b ? `${amount(h.metric, b.from)}–${amount(h.metric, b.to)}<br/><b>${t('people', { count: b.members, n: count(b.members) })}</b>` : ''; } },
      // Bars stand on one axis, thresholds on another over it, so that a line may lie within a bar.
      xAxis: [
        { data: bars.map((b) => amount(h.metric, b.from)), axisLabel: { interval: Math.max(0, Math.ceil(span / 8) - 1) } },
        { type: 'value', min: 0, max: span, show: false },
      ],
      yAxis: { minInterval: 1 },
      series: [
        { type: 'bar', name: t('spread.series'), barCategoryGap: '12%', data: bars.map((b) => b.members), itemStyle: { color: c.c2, borderRadius: [2, 2, 0, 0] } },
        {
          type: 'line', xAxisIndex: 1, data: [],
          markLine: { silent: true, symbol: 'none', animation: false, lineStyle: { color: c.c1, width: 1.5, type: 'solid' }, label: { color: c.text, fontSize: 12, formatter: (p: { name: string }) => p.name }, data: lines.map((l) => ({ name: l.name, xAxis: place(l.at) })) },
        },
      ],
    };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- key holds what it is made of
  }, [key, t]);
  if (bars.length === 0) return <p className="quiet">{t('spread.empty')}</p>;
  return (
    <ChartBox
      title={t('spread.title', { metric: t(`metric.${h.metric}`) })}
      note={t('spread.note', { when: when(h.counted_at) })}
      height={240}
      legend={[{ label: t('spread.series'), color: 'var(--c2)' }, { label: t('spread.line'), color: 'var(--c1)', shape: 'line' }]}
      label={t('spread.label', { all: count(h.members), zero: count(h.zero), lines: lines.map((l) => `${l.name} ${amount(h.metric, l.at)}`).join(t('comma')) })}
      option={option}
      table={{ head: [t(`metric.${h.metric}`), t('spread.series')], rows: [[t('spread.zero'), count(h.zero)], ...bars.map((b) => [`${amount(h.metric, b.from)}–${amount(h.metric, b.to)}`, count(b.members)])] }}
    />
  );
}
