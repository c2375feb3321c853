import type { DrawOwnPrize, DrawPlayed } from '@patron/shared/api/schema.d.ts';
import { useTranslation } from 'react-i18next';

interface WheelProps {
  prizes: DrawOwnPrize[];
  nothing: number;
  played: DrawPlayed | undefined;
}

const tints = ['var(--success-bg)', 'var(--info-bg)', 'var(--warning-bg)', 'var(--bg-sunken)'];
const point = (turn: number, r: number) => `${(150 + r * Math.sin(2 * Math.PI * turn)).toFixed(2)} ${(150 - r * Math.cos(2 * Math.PI * turn)).toFixed(2)}`;

/** The wheel with a field for each prize. The fields are of one size, which says nothing of the odds: those stand in the table below. */
export function Wheel({ prizes, nothing, played }: WheelProps) {
  const { t } = useTranslation('draw');
  const fields = [...prizes.filter((p) => !p.gone).map((p) => ({ code: p.code, name: p.name })), ...(nothing > 0 ? [{ code: '', name: t('nothing') }] : [])];
  const at = played ? Math.max(0, fields.findIndex((f) => f.code === played.line.prize)) : 0;
  const turns = played ? 2 + played.line.n % 2 : 0; // so that the same field twice is seen to turn
  const angle = played ? 360 * turns - ((at + 0.5) / fields.length) * 360 : 0;
  return (
    <div className="wheelbox" aria-hidden>
      <svg viewBox="0 0 300 300" style={{ transform: `rotate(${angle}deg)` }}>
        <circle cx="150" cy="150" r="148" fill="var(--bg-container)" stroke="var(--border)" />
        {fields.map((f, i) => {
          const [from, to, middle] = [i / fields.length, (i + 1) / fields.length, ((i + 0.5) / fields.length) * 360];
          return (
            <g key={f.code}>
              {fields.length > 1 && <path d={`M150 150L${point(from, 146)}A146 146 0 ${to - from > 0.5 ? 1 : 0} 1 ${point(to, 146)}Z`} fill={f.code ? tints[i % 3] : tints[3]} stroke="var(--border)" />}
              <text x="150" y="36" textAnchor="middle" transform={`rotate(${middle} 150 150)`}>{f.name.length > 14 ? `${f.name.slice(0, 13)}…` : f.name}</text>
            </g>
          );
        })}
        <circle cx="150" cy="150" r="18" fill="var(--primary)" />
      </svg>
    </div>
  );
}
