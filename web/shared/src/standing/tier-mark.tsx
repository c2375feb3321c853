import { Icon, type IconName } from '../ui/icon.tsx';
import { cardColors } from './card-colors.ts';
import styles from './tier-mark.module.css';

/** The icons among which a tier's is chosen. */
export const tierIcons = ['tier', 'leaf', 'cup', 'star', 'heart', 'gift', 'diamond', 'crown'] as const satisfies readonly IconName[];

/** What a tier's icon is called in the API, as one that we have. */
export const tierIcon = (name: string | undefined, or: IconName = 'tier'): IconName => ((tierIcons as readonly string[]).includes(name ?? '') ? (name as IconName) : or);

/** A tier's icon in its colour. The name stands beside it. */
export function TierMark({ color, icon, or, size = 28 }: { color?: string | undefined; icon?: string | undefined; or?: IconName; size?: number }) {
  const c = cardColors(color);
  return (
    <span className={styles.mark} style={{ width: size, height: size, ...(c && { background: c.ground, color: c.text }) }} aria-hidden>
      <Icon name={tierIcon(icon, or)} size={Math.round(size * 0.62)} />
    </span>
  );
}
