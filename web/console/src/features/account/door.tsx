import { Wordmark, Mark } from '@patron/shared/ui/brand.tsx';
import { chooseLanguage, languages, type Language } from '@patron/shared/i18n/i18n.ts';
import { Button } from 'antd';
import { useEffect, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import styles from './door.module.css';

/** The frame of pages before one is in: the mark, one form, the languages. */
export function Door({ title, text, children }: { title: string; text?: string; children: ReactNode }) {
  const { i18n } = useTranslation();
  useEffect(() => {
    document.title = `${title} · Patron 常客`;
  }, [title]);
  return (
    <div className={styles.door}>
      <main className={styles.sheet}>
        <div className={styles.brand}><Mark size={40} /><Wordmark height={24} full /></div>
        <h1>{title}</h1>
        {text && <p className={styles.text}>{text}</p>}
        {children}
      </main>
      <footer className={styles.languages}>
        {Object.entries(languages).map(([key, label]) => (
          <Button key={key} type="text" size="small" lang={key} aria-pressed={i18n.language === key} className={i18n.language === key ? styles.here : undefined} onClick={() => void chooseLanguage(key as Language)}>
            {label}
          </Button>
        ))}
      </footer>
    </div>
  );
}
