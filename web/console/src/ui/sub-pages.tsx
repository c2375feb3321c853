import { NavLink } from 'react-router';
import styles from './sub-pages.module.css';

/** Pages that belong together, side by side under the top bar; on a phone the row scrolls. */
export function SubPages({ label, pages }: { label: string; pages: { to: string; label: string }[] }) {
  return (
    <nav className={styles.tabs} aria-label={label}>
      {pages.map((p) => <NavLink key={p.to} to={p.to} end>{p.label}</NavLink>)}
    </nav>
  );
}
