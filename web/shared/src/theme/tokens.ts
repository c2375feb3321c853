/**
 * Every colour, size and curve of the product, in one table. Nothing else in the workspace writes a
 * colour: Ant Design gets them in console/src/app/antd-theme.ts, charts in charts/series.ts, and our own
 * CSS through the variables that css() makes (`var(--text-2)`), which the build writes into the page.
 */

export type ThemeName = 'light' | 'dark';

/** One row: the name of its CSS variable, then the light and the dark value. */
const rows = {
  'bg-layout': ['#F5F1F1', '#141015'], // page
  'bg-container': ['#FFFFFF', '#1E1A1F'], // sheet, card
  'bg-elevated': ['#FFFFFF', '#282329'], // menu, dialog
  'bg-sunken': ['#FAF8F9', '#19151A'], // pane that lies lower
  'bg-hover': ['#F0ECEF', '#2C272D'], // row under the pointer
  'bg-spotlight': ['#2A2028', '#EFE9ED'], // tooltip

  text: ['#241B22', '#EFE9ED'],
  'text-2': ['#574C55', '#C2B7BF'],
  'text-3': ['#6F646D', '#A3979F'], // also placeholder
  'text-4': ['#A79EA5', '#6E646B'], // disabled only, always with a reason in text-3
  'on-solid': ['#FFFFFF', '#1C1119'], // text on a solid fill

  border: ['#8A7F88', '#80757D'], // of controls
  'border-strong': ['#BDB3BA', '#5A5058'], // under the head of a table
  rule: ['#E6E0E4', '#373038'], // hairlines
  track: ['#E9E3E7', '#383138'], // of a bar

  primary: ['#612F4E', '#D2A7BF'], // sandalwood
  'primary-hover': ['#7A4465', '#E1BED1'],
  'primary-active': ['#4A213A', '#BE90AA'],
  'primary-bg': ['#F5ECF1', '#33222D'],
  'primary-bg-hover': ['#EBDCE5', '#422C3A'], // the selected entry of the menu
  'primary-border': ['#D3B4C6', '#5C3E50'],

  success: ['#1F7161', '#76C4AE'], // celadon: available, done
  'success-bg': ['#E1F0EC', '#16302A'],
  'success-border': ['#A5CFC4', '#2B5A4F'],
  warning: ['#8A5A00', '#E5B453'], // honey: expiring, waiting
  'warning-bg': ['#FBF0D9', '#362914'],
  'warning-border': ['#E5C88A', '#614A1F'],
  error: ['#B3321F', '#F2917D'], // cinnabar: failed, destructive
  'error-bg': ['#FBE9E5', '#3B201B'],
  'error-border': ['#E8B3A8', '#6E3A30'],
  'error-hover': ['#C4432F', '#F6AB9B'],
  'error-active': ['#8F2517', '#D97A67'],
  info: ['#3F5B94', '#A3B9E8'], // iris: pending, information
  'info-bg': ['#E9EEF8', '#1F2739'],
  'info-border': ['#B4C4E2', '#3C4B6C'],

  'card-bg': ['#552743', '#3A1E30'], // the member card
  'card-text': ['#FBF5F8', '#FBF0F6'],
  'card-text-2': ['#DCC4D2', '#D6BBCA'],
  celadon: ['#A9D8CB', '#A9D8CB'], // on the card only, never as text on white
  seat: ['#278C7C', '#76C4AE'], // "you are here"
  draw: ['#C5E4DB', '#2F5A50'], // the patch in drawings

  c1: ['#612F4E', '#C99AB6'], // series: sandalwood, money
  c2: ['#2F9E8C', '#52B995'], // celadon: issued, available
  c3: ['#C28624', '#F0CE66'], // honey: used, expiring
  c4: ['#5874D3', '#4A7CCB'], // iris: pending
  c5: ['#BB536B', '#A9557F'], // rose: the fifth category
  c6: ['#8C8289', '#8F858D'], // grey: other, held, comparison; always with a label

  'sheet-shadow': ['0 0 0 1px rgba(42,32,40,.05)', '0 0 0 1px rgba(255,255,255,.05)'],
  'card-shadow': ['0 6px 14px -8px rgba(79,36,64,.35)', '0 0 0 1px rgba(255,255,255,.06)'],
  pop: ['0 0 0 1px rgba(42,32,40,.06), 0 6px 16px -4px rgba(42,32,40,.16)', '0 0 0 1px rgba(255,255,255,.08), 0 8px 20px rgba(0,0,0,.5)'],
  modal: ['0 0 0 1px rgba(42,32,40,.06), 0 16px 40px -8px rgba(42,32,40,.24)', '0 0 0 1px rgba(255,255,255,.1), 0 16px 40px rgba(0,0,0,.6)'],
} satisfies Record<string, readonly [light: string, dark: string]>;

export type ColorName = keyof typeof rows;

/** What is the same in both themes. */
export const fixed = {
  sys: '-apple-system, BlinkMacSystemFont, "Segoe UI", "PingFang SC", "HarmonyOS Sans SC", MiSans, "Microsoft YaHei UI", "Microsoft YaHei", "Noto Sans SC", "Noto Sans CJK SC", sans-serif',
  mono: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  s1: '4px',
  s2: '8px',
  s3: '12px',
  s4: '16px',
  s5: '24px',
  s6: '32px',
  s7: '48px',
  s8: '64px',
  gutter: '28px', // of the sheet
  r1: '4px', // chip
  r2: '6px', // control
  r3: '10px', // panel, dialog
  r4: '16px', // sheet, block of the portal
  r5: '20px', // member card
  fast: '120ms ease-out', // feedback
  panel: '200ms ease-out',
} as const;

/** The colours of one theme. */
export function palette(theme: ThemeName): Record<ColorName, string> {
  const i = theme === 'light' ? 0 : 1;
  return Object.fromEntries(Object.entries(rows).map(([name, row]) => [name, row[i]])) as Record<ColorName, string>;
}

/** The table as CSS variables. Without `data-theme` on the root the system decides. */
export function css(): string {
  const block = (values: Record<string, string>) =>
    Object.entries(values)
      .map(([name, value]) => `--${name}:${value};`)
      .join('');
  const dark = `${block(palette('dark'))}color-scheme:dark;`;
  return [
    `:root{${block(fixed)}${block(palette('light'))}color-scheme:light;}`,
    `:root[data-theme=dark]{${dark}}`,
    `@media (prefers-color-scheme:dark){:root:not([data-theme=light]){${dark}}}`,
  ].join('\n');
}
