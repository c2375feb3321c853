import { expect, test } from 'vitest';
import { brandColors, contrast } from './color.ts';

// Colours that just bear white text, and dark ones.
const colors = ['#612F4E', '#0B7A3B', '#B3321F', '#767676', '#1D4ED8', '#000000', '#8A5A00', '#C2185B', '#007C89'];

test.each(colors)('%s keeps its contrasts in both themes', (color) => {
  const light = brandColors(color, 'light');
  for (const ground of ['#FFFFFF', '#F5F1F1', '#F0ECEF']) expect(contrast(light.primary!, ground)).toBeGreaterThanOrEqual(4.5);
  for (const fill of ['primary', 'primary-hover', 'primary-active']) expect(contrast(light[fill]!, '#FFFFFF')).toBeGreaterThanOrEqual(4.5);
  expect(contrast(light.primary!, light['primary-bg']!)).toBeGreaterThanOrEqual(4.5);
  const dark = brandColors(color, 'dark');
  for (const ground of ['#141015', '#1E1A1F', '#282329']) expect(contrast(dark.primary!, ground)).toBeGreaterThanOrEqual(4.5);
  for (const fill of ['primary', 'primary-hover', 'primary-active']) expect(contrast(dark[fill]!, '#1C1119')).toBeGreaterThanOrEqual(4.5);
  expect(contrast(dark.primary!, dark['primary-bg']!)).toBeGreaterThanOrEqual(4.5);
  for (const [set, text] of [[light, '#FBF5F8'], [dark, '#FBF0F6']] as const) {
    expect(contrast(set['card-bg']!, text)).toBeGreaterThanOrEqual(7);
    expect(contrast(set['card-bg']!, set['card-text-2']!)).toBeGreaterThanOrEqual(4.5);
    expect(contrast(set['card-bg']!, '#A9D8CB')).toBeGreaterThanOrEqual(4.5);
  }
});
