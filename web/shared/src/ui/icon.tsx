import type { SVGProps } from 'react';

/** Drawn on a grid of 20 with a line of 1.6 and round caps. */
const paths = {
  approve: 'M4.5 10.5l3.7 3.7 7.3-8',
  arrowDown: 'M10 4v11.5M5.5 11l4.5 4.5 4.5-4.5',
  arrowUp: 'M10 16V4.5M5.5 9 10 4.5 14.5 9',
  back: 'M12.5 4.5 7 10l5.5 5.5',
  bell: 'M5 14V9a5 5 0 0 1 10 0v5l1 1H4zM8.5 17.3h3',
  calendar: 'M3.5 5h13v11.5h-13zM3.5 8.5h13M7 3.5v3M13 3.5v3',
  chart: 'M3.5 16.5h13M6 13.5V9M10 13.5v-9M14 13.5V7',
  clock: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 6v4.2l2.8 1.6',
  close: 'M5 5l10 10M15 5 5 15',
  columns: 'M3.5 4.5h13v11h-13zM8 4.5v11M12.5 4.5v11',
  copy: 'M7 7h9.5v9.5H7zM13 7V3.5H3.5V13H7',
  coupon: 'M3 5.5h14v3a1.6 1.6 0 0 0 0 3.2v2.8H3v-2.8a1.6 1.6 0 0 0 0-3.2zM12 6v8',
  crown: 'M3.5 6.5l3 3.5L10 4.5l3.5 5.5 3-3.5-1.2 9H4.7z',
  cup: 'M4 8h10v4a4 4 0 0 1-4 4H8a4 4 0 0 1-4-4zM14 9h1.5a2 2 0 0 1 0 4H14M7 3.5v2M10.5 3.5v2',
  diamond: 'M6 4h8l3 4-7 8.5L3 8zM3 8h14M8 8l2 8.5L12 8',
  down: 'M5 7.5l5 5 5-5',
  edit: 'M4 16l.8-3.5L13 4.3l2.7 2.7-8.2 8.2zM11.5 5.8l2.7 2.7',
  export: 'M10 3.5v9M6.5 9l3.5 3.5L13.5 9M4 15v1.5h12V15',
  filter: 'M3.5 5h13l-5 6v5l-3-1.5V11z',
  fork: 'M10 16.5v-5M10 11.5 5 7V3.5M10 11.5 15 7V3.5M3.5 5 5 3.5 6.5 5M13.5 5 15 3.5 16.5 5',
  gift: 'M3.5 8h13v3h-13zM4.5 11v6h11v-6M10 8v9M10 8C6 8 6 3.5 8 3.5S10 8 10 8s0-4.5 2-4.5S14 8 10 8',
  globe: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM3 10h14M10 3c2.5 2.5 2.5 11.5 0 14M10 3c-2.5 2.5-2.5 11.5 0 14',
  heart: 'M10 16.5S3.5 12.6 3.5 8A3.4 3.4 0 0 1 10 6.5 3.4 3.4 0 0 1 16.5 8c0 4.6-6.5 8.5-6.5 8.5Z',
  help: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM8 8.2a2 2 0 1 1 2.9 1.8c-.6.3-.9.7-.9 1.3M10 13.6v.2',
  home: 'M3 9.5 10 3.5l7 6M5 8.5V16.5h10V8.5',
  info: 'M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14ZM10 9.2v4.3M10 6.5v.2',
  job: 'M10 3.5v2.5M16.5 10H14M10 16.5V14M3.5 10H6M14.6 5.4l-1.8 1.8M14.6 14.6l-1.8-1.8M5.4 14.6l1.8-1.8M5.4 5.4l1.8 1.8',
  key: 'M7 13a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM10.5 9.5h6.5M14.5 9.5V12M17 9.5v2',
  leaf: 'M4 16c0-8 4-12 12.5-12C16.5 12 12 16 6.5 14.5M4 16l6-6',
  ledger: 'M4 3.5h10.5a1.5 1.5 0 0 1 1.5 1.5v11.5H5.5A1.5 1.5 0 0 1 4 15zM4 14.5h12M7.5 7h5M7.5 10h5',
  lock: 'M5 9h10v7.5H5zM7 9V6.5a3 3 0 0 1 6 0V9',
  member: 'M10 10a3.5 3.5 0 1 0 0-7 3.5 3.5 0 0 0 0 7ZM3.5 17c.5-3.4 3-5 6.5-5s6 1.6 6.5 5',
  members: 'M7.5 9.5a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM2 17c0-3 2.4-5 5.5-5s5.5 2 5.5 5M13.5 9a2.6 2.6 0 1 0-1-5M15 12.3c1.8.7 3 2.3 3 4.7',
  menu: 'M3.5 5.5h13M3.5 10h13M3.5 14.5h13',
  minus: 'M4 10h12',
  more: 'M4.5 10h.01M10 10h.01M15.5 10h.01',
  note: 'M4 3.5h12v9l-4 4H4zM12 16.5v-4h4M7 7h6M7 10h4',
  phone: 'M5 3.5h3l1 4-2 1.5a9 9 0 0 0 4 4l1.5-2 4 1v3a1.5 1.5 0 0 1-1.5 1.5A11.5 11.5 0 0 1 3.5 5 1.5 1.5 0 0 1 5 3.5Z',
  plus: 'M10 4v12M4 10h12',
  qr: 'M3.5 3.5h5v5h-5zM11.5 3.5h5v5h-5zM3.5 11.5h5v5h-5zM11.5 11.5h2v2h-2zM16.5 11.5v2M11.5 16.5h2M16.5 16.5h.01',
  refresh: 'M16 10a6 6 0 1 1-1.8-4.3M16 3.5v3h-3',
  right: 'M7.5 4.5 13 10l-5.5 5.5',
  rule: 'M4 5h4.5M4 10h12M4 15h7M12 5h4M15 15h1M10.2 3.3v3.4M13 13.3v3.4',
  sale: 'M5 3.5h10v13l-2.5-1.5-2.5 1.5-2.5-1.5L5 16.5zM7.5 7h5M7.5 10h5',
  scan: 'M3 7V3.5h3.5M13.5 3.5H17V7M17 13v3.5h-3.5M6.5 16.5H3V13M3 10h14',
  search: 'M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11ZM13 13l4 4',
  server: 'M3.5 4h13v5h-13zM3.5 11h13v5h-13zM6.5 6.5h.01M6.5 13.5h.01',
  settings: 'M10 12.5a2.5 2.5 0 1 0 0-5 2.5 2.5 0 0 0 0 5ZM10 2.5v2M10 15.5v2M2.5 10h2M15.5 10h2M4.7 4.7l1.4 1.4M13.9 13.9l1.4 1.4M4.7 15.3l1.4-1.4M13.9 6.1l1.4-1.4',
  shield: 'M10 3 4 5v4.5c0 3.5 2.5 6 6 7.5 3.5-1.5 6-4 6-7.5V5zM7.5 10l1.8 1.8 3.2-3.5',
  signOut: 'M8 3.5H4v13h4M12.5 6.5 16 10l-3.5 3.5M16 10H8',
  star: 'M10 3.2l2.1 4.4 4.8.6-3.5 3.3.9 4.8L10 14l-4.3 2.3.9-4.8L3.1 8.2l4.8-.6z',
  store: 'M3 8.5 4.5 4h11L17 8.5M4 9v7.5h12V9M3 8.5h14M8 16.5V12h4v4.5',
  table: 'M3.5 4.5h13v11h-13zM3.5 8.5h13M8 8.5v7',
  tag: 'M3.5 4v5.5l7 7 6-6-7-7H4zM7 7h.01',
  tier: 'M3 16.5h4v-4h4v-4h4v-4h2.5',
  upload: 'M10 12.5v-9M6.5 7 10 3.5 13.5 7M4 15v1.5h12V15',
  warning: 'M10 3.5 17.5 16.5h-15zM10 8v4M10 14v.4',
} as const;

export type IconName = keyof typeof paths;

interface Props extends SVGProps<SVGSVGElement> {
  name: IconName;
  size?: number;
}

/** A line icon in the colour of the text. It is decoration: the word stands beside it, or in aria-label. */
export function Icon({ name, size = 20, ...rest }: Props) {
  return (
    <svg width={size} height={size} viewBox="0 0 20 20" fill="none" stroke="currentColor" strokeWidth={1.6} strokeLinecap="round" strokeLinejoin="round" aria-hidden style={{ flex: 'none' }} {...rest}>
      <path d={paths[name]} />
    </svg>
  );
}
