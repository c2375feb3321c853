import { Icon } from '@patron/shared/ui/icon.tsx';
import { useEffect, useRef, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import styles from './till.module.css';

/** A dialog for fingers. Esc closes it; the focus goes back to where it was. */
export function Dialog({ title, close, wide, children }: { title: string; close: () => void; wide?: boolean; children: ReactNode }) {
  const { t } = useTranslation('till');
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = ref.current!;
    if (!dialog.open) dialog.showModal();
    return () => dialog.close();
  }, []);
  return (
    <dialog
      ref={ref}
      className={wide ? `${styles.dialog} ${styles.wide}` : styles.dialog}
      aria-label={title}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
    >
      <header className={styles.dialogHead}>
        <h2>{title}</h2>
        <button type="button" className={styles.round} aria-label={t('close')} onClick={close}><Icon name="close" /></button>
      </header>
      <div className={styles.dialogBody}>{children}</div>
    </dialog>
  );
}

/** What went wrong, in a place that does not move the rest. */
export function Trouble({ children }: { children: ReactNode }) {
  return <p role="alert" className={styles.trouble}><Icon name="warning" size={18} /><span>{children}</span></p>;
}
