/** The mark: the roof of 客 with a guest under it. Its colours do not follow the theme. */
export function Mark({ size = 32 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 32 32" role="img" aria-label="Patron">
      <rect width="32" height="32" rx="8" fill="#612F4E" />
      <circle cx="16" cy="6.6" r="2" fill="#fff" />
      <path d="M6.4 16.4v-1.6a3.6 3.6 0 0 1 3.6-3.6h12a3.6 3.6 0 0 1 3.6 3.6v1.6" fill="none" stroke="#fff" strokeWidth="2.8" strokeLinecap="round" />
      <circle cx="16" cy="21.6" r="5" fill="#A9D8CB" />
    </svg>
  );
}

const chang = 'M12 1.6v3.6M6.6 2.4l1.7 2.6M17.4 2.4l-1.7 2.6M3 10.2V8.6Q3 7.2 4.4 7.2h15.2Q21 7.2 21 8.6v1.6M8.2 10.2h7.6v3.6H8.2zM5 20.6v-3.4q0-.6.6-.6h12.8q.6 0 .6.6v2.2q0 1.2-1.2 1.2h-.8M12 13.8v8.8';
const ke = 'M12 1.5v2.2M3 8.8V6.9q0-1.4 1.4-1.4h15.2q1.4 0 1.4 1.4v1.9M10.4 7.8Q8.8 10.6 5.4 12.6M9.4 9.6h6.4Q13.4 14.4 4 17M8.4 11.2q3.4 4 11.8 5.4M8 17h8.2v5.2H8z';
const latin = ['M2 21V4h6.2a4.9 4.9 0 0 1 0 9.8H2', 'M26.4 10.2V21', 'M34 5v12.4q0 3.6 3.6 3.6h1.2M30.6 10.4h8', 'M44.4 21V10.2M44.4 15q.2-4.8 5.4-4.8', 'M69 21V10.2M69 15.2q0-5 4.9-5t4.9 5V21'];

/** The name in the colour of the text: `Patron 常客`, or 常客 alone. */
export function Wordmark({ height = 19, full = false }: { height?: number; full?: boolean }) {
  const width = full ? 148 : 54;
  return (
    <svg height={height} width={(height * width) / 24} viewBox={`0 0 ${width} 24`} role="img" aria-label={full ? 'Patron 常客' : '常客'} fill="none" stroke="currentColor" strokeWidth={full ? 2.2 : 2} strokeLinecap="round" strokeLinejoin="round">
      {full && (
        <>
          {latin.map((d) => <path key={d} d={d} />)}
          <circle cx="21" cy="15.6" r="5.4" />
          <circle cx="58.2" cy="15.6" r="5.4" />
        </>
      )}
      <g transform={full ? 'translate(92 0)' : undefined} strokeWidth={full ? 1.9 : 2}>
        <path d={chang} />
        <path transform="translate(28 0)" d={ke} />
      </g>
    </svg>
  );
}
