import type { EChartsCoreOption } from 'echarts/core';
import { useEffect, useRef } from 'react';
import { useTheme } from '../theme/choice.ts';
import { palette } from '../theme/tokens.ts';
import { init } from './echarts.ts';
import { baseOption, type Colors } from './series.ts';

export interface ChartProps {
  option: (colors: Colors) => EChartsCoreOption;
  height: number;
}

/** The drawing itself. Fetched when the first chart shows: use ChartBox. */
export default function Chart({ option, height }: ChartProps) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<ReturnType<typeof init>>(null);
  const theme = useTheme();

  useEffect(() => {
    const made = init(box.current, undefined, { renderer: 'svg' });
    chart.current = made;
    const watch = new ResizeObserver(() => made.resize());
    watch.observe(box.current!);
    return () => {
      watch.disconnect();
      made.dispose();
    };
  }, []);

  useEffect(() => {
    const still = window.matchMedia('(prefers-reduced-motion: reduce)').matches;
    chart.current?.setOption(merge(baseOption(theme), { animation: !still }, option(palette(theme))), { notMerge: true });
  }, [theme, option]);

  return <div ref={box} style={{ height }} aria-hidden />;
}

type Tree = Record<string, unknown>;

/** Lays options over one another, plain objects deeply; a list of axes gets the common axis under each. */
function merge(...layers: Tree[]): Tree {
  const out: Tree = {};
  for (const layer of layers) {
    for (const [key, value] of Object.entries(layer)) {
      const under = out[key];
      if (isTree(under) && isTree(value)) out[key] = merge(under, value);
      else if (isTree(under) && Array.isArray(value)) out[key] = value.map((v: unknown) => (isTree(v) ? merge(under, v) : v));
      else out[key] = value;
    }
  }
  return out;
}

const isTree = (v: unknown): v is Tree => typeof v === 'object' && v !== null && !Array.isArray(v);
