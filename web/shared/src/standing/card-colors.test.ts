import { expect, test } from 'vitest';
import { cardColors } from './card-colors.ts';

test('text on a card of any colour can be read', () => {
  const luminance = (hex: string) => {
    const [r, g, b] = [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16) / 255).map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)) as [number, number, number];
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  for (let r = 0; r < 256; r += 17) for (let g = 0; g < 256; g += 17) for (let b = 0; b < 256; b += 17) {
    const hex = `#${[r, g, b].map((v) => v.toString(16).padStart(2, '0')).join('')}`;
    const c = cardColors(hex)!;
    const [x, y] = [luminance(c.ground), luminance(c.text)];
    const ratio = (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
    if (ratio < 4.5) throw new Error(`${hex}: ${ratio}`);
  }
  expect(cardColors('gold')).toBeUndefined();
  expect(cardColors('')).toBeUndefined();
});
