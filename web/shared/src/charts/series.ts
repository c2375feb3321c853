import type { EChartsCoreOption } from 'echarts/core';
import { palette, type ColorName, type ThemeName } from '../theme/tokens.ts';

/** What a series shows, and its colour: design.md §4. Grey always with a label. */
export const seriesColor = { main: 'c1', issued: 'c2', used: 'c3', pending: 'c4', fifth: 'c5', other: 'c6' } satisfies Record<string, ColorName>;

export type Colors = Record<ColorName, string>;

/** Hatching: a day that is not over, and what is pending. Goes into itemStyle.decal. */
export const hatched = (color: string) => ({ symbol: 'rect', dashArrayX: [1, 0], dashArrayY: [2, 3], rotation: -Math.PI / 4, color });

/** What all charts have in common: fonts, hairlines, the dark tooltip. Options of a chart lie over it. */
export function baseOption(theme: ThemeName): EChartsCoreOption {
  const c = palette(theme);
  // By name: texts are measured on a canvas, which knows no 'inherit', and long figures of an axis would be cut.
  const { fontFamily } = getComputedStyle(document.body);
  const text = { color: c['text-3'], fontSize: 12, fontFamily };
  return {
    animationDuration: 200,
    color: [c.c1, c.c2, c.c3, c.c4, c.c5, c.c6],
    textStyle: { fontFamily },
    grid: { left: 0, right: 0, top: 12, bottom: 8, outerBoundsMode: 'same', outerBoundsContain: 'axisLabel' },
    tooltip: {
      trigger: 'axis',
      axisPointer: { type: 'shadow', shadowStyle: { color: c['bg-hover'], opacity: 1 }, z: -1 },
      backgroundColor: c['bg-spotlight'],
      borderWidth: 0,
      padding: [8, 12],
      textStyle: { color: c['on-solid'], fontSize: 12 },
      confine: true,
    },
    xAxis: { type: 'category', axisLine: { lineStyle: { color: c.rule } }, axisTick: { show: false }, axisLabel: text },
    yAxis: { type: 'value', min: 0, splitNumber: 3, splitLine: { lineStyle: { color: c.rule } }, axisLabel: text },
  };
}
