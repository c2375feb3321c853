import styles from './view-tabs.module.css';

interface Props<K extends string> {
  /** What is chosen among, for screen readers. */
  label: string;
  items: { key: K; label: string }[];
  value: K;
  onChange: (key: K) => void;
}

/** Views of one list, side by side; on a phone the row scrolls. They are buttons, since the list under them is one. */
export function ViewTabs<K extends string>({ label, items, value, onChange }: Props<K>) {
  return (
    <div className={styles.tabs} role="group" aria-label={label}>
      {items.map((it) => <button key={it.key} type="button" aria-pressed={it.key === value} onClick={() => onChange(it.key)}>{it.label}</button>)}
    </div>
  );
}
