import { expect, it } from 'vitest';
import { bounding, mostOf } from './policy.ts';

it('reckons the most that points pay for, as a checkout does', () => {
  const fen = 1_000_000;
  expect(mostOf(undefined, fen, 20_000)).toBe(20_000);
  expect(mostOf({ most_percent: 25 }, fen, 20_000)).toBe(5_000);
  expect(mostOf({ most_percent: 25, most: 3_000 }, fen, 20_000)).toBe(3_000);
  expect(mostOf({ most: 3_000, step: 400 }, fen, 20_000)).toBe(2_800);
  expect(mostOf({ most_percent: 25, least: 5_001 }, fen, 20_000)).toBe(0);
  expect(mostOf({ most_percent: 25, least: 5_000 }, fen, 20_000)).toBe(5_000);
  expect(mostOf({}, 100_000, 20_000)).toBe(200_000); // ten points a fen
  expect(mostOf({}, 0, 20_000)).toBe(0);
});

it('leaves out what was emptied', () => {
  expect(bounding({ most: 300, least: 0, exclude_stores: [], exclude_categories: ['tea'] })).toEqual({ most: 300, exclude_categories: ['tea'] });
  expect(bounding({ most: null } as never)).toEqual({});
});
