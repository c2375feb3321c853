import type { PriceItem } from '@patron/shared/api/schema.d.ts';

/** What a file of prices says, or the number of its first line that cannot be read. */
export type Read = { items: PriceItem[] } | { wrong: number };

const most = 20_000;

/**
 * Reads lines of a product and a price (`T101,25.00`), or of a product and a percentage off (`T101,15%`). The first
 * line may be a heading. unit is how many minor units one of money has.
 */
export function readPrices(text: string, unit: number): Read {
  const items = new Map<string, PriceItem>();
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  for (const [i, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const [sku = '', said = ''] = line.split(/[,;\t]/).map((part) => part.trim().replace(/^"(.*)"$/, '$1'));
    const percent = /^(\d{1,3}(?:\.\d{1,2})?)\s*%$/.exec(said);
    const price = /^\d{1,10}(?:\.\d{1,3})?$/.test(said) ? Math.round(Number(said) * unit) : 0;
    const off = percent ? Math.round(Number(percent[1]) * 100) : 0;
    if (i === 0 && sku !== '' && !price && !off) continue; // a heading
    if (sku === '' || (price <= 0 && (off <= 0 || off > 10_000)) || items.size >= most) return { wrong: i + 1 };
    items.set(sku, price > 0 ? { sku, price } : { sku, percent: off });
  }
  return items.size > 0 ? { items: [...items.values()] } : { wrong: 1 };
}
