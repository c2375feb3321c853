import type { ProgramSettingsView } from '@patron/shared/api/schema.d.ts';
import { describe, expect, it } from 'vitest';
import { changesOf, majorOf, minorOf, valuesOf } from './settings.ts';

const settings: ProgramSettingsView = {
  version: 7, name_en: 'Tea', name_zh: '茶', zone: 'Asia/Shanghai', currency: 'CNY', languages: ['zh-CN', 'en'], default_store: 'sto_1',
  earning: { currency: 'points', points: 1, per: 100, rounding: 'floor', excluded_categories: ['gift'], pending_days: 0 },
  limits: { sale_lines: 500, batch_sales: 200, attributes: 50 },
  modules: { stored_value: true, transfers: true, portal: true, tasks: true, till: true },
  offline: { hours: 0, per_member: 20000, per_store: 1000000, policy: 'honour' },
  brand: { color: '#612F4E', logo_url: '/portal/v1/logo?v=1' },
};

describe('what the form of the programme sends', () => {
  const was = valuesOf(settings);
  it.each([
    ['nothing', {}, {}],
    ['a name alone', { name_en: 'Tea house' }, { name_en: 'Tea house' }],
    ['languages as a list', { languages: 'en' }, { languages: ['en'] }],
    ['an empty tagline is none', { brand: { ...was.brand, tagline_en: '' } }, {}],
    ['the whole brand', { brand: { ...was.brand, tagline_en: 'Good tea' } }, { brand: { color: '#612F4E', tagline_en: 'Good tea' } }],
    ['all bounds for tills', { offline: { ...was.offline, hours: 24 } }, { offline: { hours: 24, per_member: 20000, per_store: 1000000, policy: 'honour' } }],
    ['a colour that is taken away', { brand: { color: '' } }, { brand: {} }],
    ['the whole rule, with what the form does not show', { earning: { ...was.earning, excluded_categories: undefined as never, points: 2 } }, { earning: { ...was.earning, excluded_categories: undefined, points: 2 } }],
  ])('%s', (_, patch, want) => {
    expect(changesOf(settings, { ...was, ...patch })).toEqual(want);
  });

  it('counts money in the decimals of its currency', () => {
    expect([majorOf(100, 'CNY'), majorOf(100, 'JPY'), minorOf(1.1, 'CNY'), minorOf(1.234, 'KWD')]).toEqual([1, 100, 110, 1234]);
  });
});
