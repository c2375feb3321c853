import { describe, expect, test } from 'vitest';
import * as f from './format.ts';

const zh = { language: 'zh-CN', zone: 'Asia/Shanghai' } as const;
const en = { language: 'en', zone: 'Asia/Shanghai' } as const;
const now = new Date('2026-11-26T06:05:00Z'); // 14:05 in Shanghai
const at = (iso: string) => new Date(iso);

describe('money', () => {
  test.each([
    [128650, 'CNY', {}, '¥1,286.50'],
    [-800, 'CNY', {}, '\u2212¥8.00'],
    [0, 'CNY', {}, '¥0.00'],
    [5, 'CNY', {}, '¥0.05'],
    [42378649, 'CNY', { whole: true }, '¥423,786'],
    [-40, 'CNY', { whole: true }, '¥0'], // no minus before nothing
    [5000, 'CNY', { trim: true }, '¥50'],
    [5050, 'CNY', { trim: true }, '¥50.50'],
    [800, 'CNY', { signed: true }, '+¥8.00'],
    [1200, 'JPY', {}, 'JP¥1,200'],
    [1234567890123, 'CNY', {}, '¥12,345,678,901.23'],
  ])('%d %s %o', (amount, currency, options, want) => {
    expect(f.formatMoney(amount, currency, 'zh-CN', options)).toBe(want);
  });
});

describe('points', () => {
  test.each([
    [2480, 'zh-CN', {}, '2,480\u00a0分'],
    [2480, 'en', {}, '2,480\u00a0pts'],
    [1, 'en', {}, '1\u00a0pt'],
    [86, 'zh-CN', { signed: true }, '+86\u00a0分'],
    [-1200, 'en', { signed: true }, '\u22121,200\u00a0pts'],
    [1250, 'en', { decimals: 2 }, '12.50\u00a0pts'],
    [100, 'en', { decimals: 2 }, '1.00\u00a0pt'],
    [0, 'zh-CN', { signed: true }, '0\u00a0分'],
  ] as const)('%d %s %o', (amount, language, options, want) => {
    expect(f.formatPoints(amount, language, options)).toBe(want);
  });
});

test.each([
  [30000, 'zh-CN', '3 万'],
  [12500, 'zh-CN', '1.3 万'],
  [9999, 'zh-CN', '9,999'],
  [12000, 'en', '12k'],
  [-1500000, 'en', '\u22121.5m'],
] as const)('axis %d %s', (n, language, want) => expect(f.formatAxis(n, language)).toBe(want));

describe('instants', () => {
  test.each([
    ['2026-11-26T06:05:00Z', '今天 14:05', 'Today 14:05'],
    ['2026-11-25T16:00:00Z', '今天 00:00', 'Today 00:00'], // midnight of the zone, not of UTC
    ['2026-11-25T15:59:00Z', '11月25日 23:59', '25 Nov, 23:59'],
    ['2026-11-20T10:12:00Z', '11月20日 18:12', '20 Nov, 18:12'],
    ['2024-03-02T01:00:00Z', '2024年3月2日', '2 Mar 2024'],
  ])('%s', (iso, wantZh, wantEn) => {
    expect(f.formatWhen(at(iso), zh, now)).toBe(wantZh);
    expect(f.formatWhen(at(iso), en, now)).toBe(wantEn);
  });

  test.each([
    ['2026-12-31T16:00:00Z', '12月31日', '31 Dec'], // ends when 31 December does
    ['2026-11-27T16:00:00Z', '明天 23:59', 'Tomorrow 23:59'],
    ['2026-11-26T16:00:00Z', '今天 23:59', 'Today 23:59'],
    ['2026-11-28T16:00:00Z', '后天 23:59', '28 Nov'],
    ['2026-11-29T16:00:00Z', '11月29日', '29 Nov'],
    ['2027-01-31T16:00:00Z', '2027年1月31日', '31 Jan 2027'],
  ])('deadline %s', (iso, wantZh, wantEn) => {
    expect(f.formatDeadline(at(iso), zh, now)).toBe(wantZh);
    expect(f.formatDeadline(at(iso), en, now)).toBe(wantEn);
  });

  test('files carry the zone', () => {
    expect(f.formatISO(at('2026-11-20T10:12:00Z'), 'Asia/Shanghai')).toBe('2026-11-20T18:12:00+08:00');
    expect(f.formatISO(at('2026-11-20T10:12:00Z'), 'America/St_Johns')).toBe('2026-11-20T06:42:00-03:30');
    expect(f.formatISO(at('2026-11-20T10:12:00Z'), 'UTC')).toBe('2026-11-20T10:12:00+00:00');
  });
});

test.each([
  ['+8613812346027', '138 **** 6027'],
  ['13812346027', '138 **** 6027'],
  ['+86138****6027', '138 **** 6027'],
  ['138 **** 6027', '138 **** 6027'],
  ['+447911123456', '+44 **** 3456'],
  ['+85291234567', '+852 **** 4567'],
  ['+12025550143', '+1 **** 0143'],
])('phone %s', (phone, want) => expect(f.maskPhone(phone)).toBe(want));
