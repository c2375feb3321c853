/** Things of a tea shop for pages with nothing on them: 160 × 112, one celadon patch. No people. */
const drawings = {
  /** A stool under the roof: nobody here yet. */
  members: { patch: <circle cx="80" cy="57" r="9" />, line: 'M30 44v-4a10 10 0 0 1 10-10h80a10 10 0 0 1 10 10v4M80 18v6M62 70h36M66 70l-5 26M94 70l5 26M64 84h32M20 96h120' },
  /** A slip and a lens: nothing found. */
  result: { patch: <circle cx="98" cy="74" r="15" />, line: 'M44 24h62v38M84 94H44V24M56 40h38M56 52h38M56 64h18M109 85l14 13M113 74a15 15 0 1 1-30 0 15 15 0 0 1 30 0Z' },
  /** A cup that fell over: it was not read. */
  error: { patch: <path d="M94 96c2-9 40-9 46 0z" />, line: 'M28 96h104M106 92c7-3 17-3 24 0' },
  /** A locked door: not yours to see. */
  forbid: { patch: <rect x="72" y="62" width="16" height="13" rx="3" />, line: 'M48 96V34a8 8 0 0 1 8-8h48a8 8 0 0 1 8 8v62M30 96h100M80 26v70M56 40h16M56 52h16M88 40h16M88 52h16M72 65a3 3 0 0 1 3-3h10a3 3 0 0 1 3 3v7a3 3 0 0 1-3 3H75a3 3 0 0 1-3-3zM75.5 62v-3a4.5 4.5 0 0 1 9 0v3' },
  /** A slip with a notch: no coupons. */
  coupon: { patch: <path d="M98 40h28v14a8 8 0 0 0 0 16v14H98z" />, line: 'M34 40h92v14a8 8 0 0 0 0 16v14H34V70a8 8 0 0 0 0-16zM98 46v32M52 56h30M52 68h18' },
} as const;

export type DrawingName = keyof typeof drawings;

export function Drawing({ name }: { name: DrawingName }) {
  const { patch, line } = drawings[name];
  return (
    <svg width="160" height="112" viewBox="0 0 160 112" fill="none" stroke="var(--text-2)" strokeWidth={1.8} strokeLinecap="round" strokeLinejoin="round" aria-hidden>
      <g fill="var(--draw)" stroke="none">{patch}</g>
      <path d={line} />
      {name === 'error' && <path transform="rotate(-38 74 78)" d="M52 58h44v18a18 18 0 0 1-18 18h-8a18 18 0 0 1-18-18zM96 63h5a8 8 0 0 1 0 16h-5" />}
    </svg>
  );
}
