import { describe, expect, it } from 'vitest';
import { countsOn, daysOf, festivalsOf } from './days.ts';
import type { Definition } from './api.ts';

const rule = (valid: Definition['valid']): Definition => ({ code: 'x', trigger: { on: 'sale' }, effect: { kind: 'tag', tag: 'x' }, valid });

describe('countsOn', () => {
  it.each([
    ['always', {}, '2026-11-27', true],
    ['before it begins', { from: '2026-11-28T00:00:00+08:00' }, '2026-11-27', false],
    ['on its first day', { from: '2026-11-27T00:00:00+08:00' }, '2026-11-27', true],
    ['the end is exclusive', { until: '2026-11-27T00:00:00+08:00' }, '2026-11-27', false],
    ['an end within the day', { until: '2026-11-27T12:00:00+08:00' }, '2026-11-27', true],
    ['a Friday', { weekdays: [5] }, '2026-11-27', true],
    ['a Sunday is 7', { weekdays: [7] }, '2026-11-29', true],
    ['another weekday', { weekdays: [1, 2] }, '2026-11-27', false],
    ['a member day', { month_days: [8] }, '2026-11-08', true],
    ['the last of the month', { month_days: [-1] }, '2026-11-30', true],
    ['the one before the last', { month_days: [-2] }, '2026-11-30', false],
    ['a date', { dates: ['2026-11-11'] }, '2026-11-11', true],
    ['a date of each year', { dates: ['11-11'] }, '2027-11-11', true],
    ['no such date', { dates: ['11-11'] }, '2026-11-12', false],
    ['a festival', { festivals: ['mid_autumn'], dates: ['11-11'] }, '2026-09-25', true],
    ['weekday and month day must agree', { weekdays: [1], month_days: [8] }, '2026-11-08', false],
  ] as const)('%s', (_, valid, day, want) => expect(countsOn(rule(valid as Definition['valid']), day)).toBe(want));
});

it.each([
  ['2026-02-17', 'spring_festival'], ['2026-02-16', 'new_years_eve'], ['2026-09-25', 'mid_autumn'], ['2026-04-05', 'qingming'],
  ['2026-12-22', 'winter_solstice'], ['2025-10-06', 'mid_autumn'], ['2027-04-05', 'qingming'], ['2025-12-21', 'winter_solstice'],
])('%s is %s', (day, want) => expect(festivalsOf(new Date(`${day}T00:00:00Z`))).toContain(want));

it('knows the length of a month', () => {
  expect(daysOf('2024-02')).toHaveLength(29);
  expect(daysOf('2026-11').at(-1)).toBe('2026-11-30');
});
