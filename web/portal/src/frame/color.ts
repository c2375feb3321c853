/** What a brand's one colour becomes: the variables of both themes, with the contrasts of design.md §9 kept. */
import type { ThemeName } from '@patron/shared/theme/tokens.ts';

type RGB = [number, number, number];

const parse = (hex: string): RGB => [1, 3, 5].map((i) => Number.parseInt(hex.slice(i, i + 2), 16)) as RGB;
const write = (c: RGB) => `#${c.map((v) => Math.round(v).toString(16).padStart(2, '0')).join('')}`;
/** `share` of b in a. */
const mix = (a: RGB, b: RGB, share: number) => a.map((v, i) => v + (b[i]! - v) * share) as RGB;

function luminance(c: RGB): number {
  const [r, g, b] = c.map((v) => (v / 255 <= 0.04045 ? v / 255 / 12.92 : ((v / 255 + 0.055) / 1.055) ** 2.4)) as RGB;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

/** WCAG 2.2. */
export function contrast(a: string, b: string): number {
  const [x, y] = [luminance(parse(a)), luminance(parse(b))];
  return (Math.max(x, y) + 0.05) / (Math.min(x, y) + 0.05);
}

/** Mixes the colour with another until it stands out from the ground as much as is asked for. */
function until(from: string, to: string, ground: string, ratio: number): string {
  for (let share = 0; share <= 1; share += 0.02) {
    const tried = write(mix(parse(from), parse(to), share));
    if (contrast(tried, ground) >= ratio) return tried;
  }
  return to;
}

const blend = (a: string, b: string, share: number) => write(mix(parse(a), parse(b), share));

/** CSS variables by name. The server has seen to it that the colour bears white text. */
export function brandColors(color: string, theme: ThemeName): Record<string, string> {
  if (theme === 'dark') {
    const primary = until(color, '#ffffff', '#282329', 7);
    return {
      primary,
      'primary-hover': blend(primary, '#ffffff', 0.3),
      'primary-active': blend(primary, '#000000', 0.1),
      'primary-bg': blend('#1e1a1f', color, 0.25),
      'primary-bg-hover': blend('#1e1a1f', color, 0.4),
      'primary-border': blend('#1e1a1f', primary, 0.35),
      'card-bg': until(color, '#000000', '#d6bbca', 7.5),
      'card-text-2': '#d6bbca',
    };
  }
  const card = until(color, '#000000', '#ffffff', 8.5);
  return {
    primary: until(color, '#000000', '#f0ecef', 5),
    'primary-hover': until(blend(color, '#ffffff', 0.12), '#000000', '#f0ecef', 4.6),
    'primary-active': blend(color, '#000000', 0.22),
    'primary-bg': blend('#ffffff', color, 0.09),
    'primary-bg-hover': blend('#ffffff', color, 0.18),
    'primary-border': blend('#ffffff', color, 0.38),
    'card-bg': card,
    'card-text-2': until(blend('#ffffff', card, 0.3), '#ffffff', card, 6),
  };
}
