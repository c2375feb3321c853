import { describe, expect, it } from 'vitest';
import { boundsOf, fits, takes, within, type Pay } from './bounds.ts';

const worth = 1_000_000; // a point is a fen
const bill = { available: 9_000, total: 20_000, rest: 20_000, store: ['sto_1', 'east'] };

describe('boundsOf', () => {
  it.each([
    ['without bounds, what there is', {}, worth, bill, { least: 1, step: 1, most: 9_000 }],
    ['a share of the bill', { most_percent: 25 }, worth, bill, { least: 1, step: 1, most: 5_000 }],
    ['what others leave', {}, worth, { ...bill, rest: 700 }, { least: 1, step: 1, most: 700 }],
    ['the most', { most: 3_000 }, worth, bill, { least: 1, step: 1, most: 3_000 }],
    ['whole steps', { step: 400, most: 3_000 }, worth, bill, { least: 400, step: 400, most: 2_800 }],
    ['less than the least is nothing', { least: 6_000, most_percent: 25 }, worth, bill, { least: 6_000, step: 1, most: 0 }],
    ['the least itself', { least: 5_000, most_percent: 25 }, worth, bill, { least: 5_000, step: 1, most: 5_000 }],
    ['a store by its code', { exclude_stores: ['east'] }, worth, bill, { least: 1, step: 1, most: 0 }],
    ['a store by its id', { exclude_stores: ['sto_1'] }, worth, bill, { least: 1, step: 1, most: 0 }],
    ['another store', { exclude_stores: ['west'] }, worth, bill, { least: 1, step: 1, most: 9_000 }],
    ['ten points a fen', {}, 100_000, bill, { least: 10, step: 10, most: 9_000 }],
  ] as [string, Pay, number, typeof bill, object][])('%s', (_, pay, millionths, at, want) => {
    expect(boundsOf(pay, millionths, at)).toEqual(want);
  });
});

it('a quote narrows what the currency bounds, and never widens what other payments leave', () => {
  const b = { least: 1, step: 1, most: 700 };
  expect(within(b, undefined)).toEqual(b);
  expect(within(b, { least: 100, step: 50, most: 460 })).toEqual({ least: 100, step: 50, most: 450 });
  expect(within(b, { least: 1, step: 1, most: 5_000 }).most).toBe(700);
  expect(within(b, { least: 800, step: 1, most: 900 }).most).toBe(0);
});

it('a wish becomes what is taken', () => {
  const b = { least: 120, step: 50, most: 450 };
  for (const [wish, want] of [[0, 0], [1, 150], [149, 150], [199, 150], [200, 200], [999, 450]] as const) expect(takes(wish, b), `${wish}`).toBe(want);
  for (const [n, want] of [[0, true], [100, false], [150, true], [160, false], [450, true], [500, false]] as const) expect(fits(n, b), `${n}`).toBe(want);
});
