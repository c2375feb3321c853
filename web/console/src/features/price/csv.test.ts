import { expect, test } from 'vitest';
import { readPrices } from './csv.ts';

test('reads prices and percentages, with and without a heading', () => {
  expect(readPrices('\uFEFFsku,price\r\nT101,25\r\n"T102", 8.05 \n\nB101;15%\n', 100)).toEqual({ items: [{ sku: 'T101', price: 2500 }, { sku: 'T102', price: 805 }, { sku: 'B101', percent: 1500 }] });
  expect(readPrices('T101,25', 1)).toEqual({ items: [{ sku: 'T101', price: 25 }] });
});

test('of a product that comes twice the last line counts', () => {
  expect(readPrices('A,1\nA,2', 100)).toEqual({ items: [{ sku: 'A', price: 200 }] });
});

test('says which line cannot be read', () => {
  for (const [text, wrong] of [['A,1\nB,-2', 2], ['A,1\n,2', 2], ['A,1\nB,0', 2], ['A,1\nB,101%', 2], ['A,1\nB', 2], ['', 1], ['sku,price', 1]] as const) {
    expect(readPrices(text, 100)).toEqual({ wrong });
  }
});
