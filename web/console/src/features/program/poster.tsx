import type { ProgramSettingsView, ProgramStoreView } from '@patron/shared/api/schema.d.ts';
import type { Language } from '@patron/shared/i18n/i18n.ts';
import { useTranslation } from 'react-i18next';
import type { Size } from './join-code-page.tsx';
import styles from './poster.module.css';

interface Props {
  size: Size;
  /** Of the guests, who need not read what the staff read. */
  language: Language;
  program: ProgramSettingsView;
  store: ProgramStoreView | undefined;
  url: string;
  svg: string;
}

// Not among the texts of the console: of those only the language of the person at the screen is loaded.
const words = {
  'zh-CN': { title: '扫一扫，领会员卡', steps: ['用手机相机扫码', '填手机号，收验证码', '当场领卡，这一单就能记积分'], name: 'name_zh', tagline: 'tagline_zh' },
  en: { title: 'Scan to join', steps: ['Scan with your phone camera', 'Enter your number and the code we send', 'Your card is ready and this visit counts'], name: 'name_en', tagline: 'tagline_en' },
} as const;

/** What hangs on the wall of a store. On the screen it is its own preview; printed it is all that comes out, a page large. */
export function Poster({ size, language, program, store, url, svg }: Props) {
  const { t } = useTranslation('program');
  const w = words[language];
  const { brand } = program;
  const tagline = brand[w.tagline];
  return (
    <article className={`${styles.poster} ${styles[size]}`} lang={language} aria-label={t('join.poster')} style={brand.color ? ({ '--brand': brand.color } as React.CSSProperties) : undefined}>
      <header className={styles.head}>
        {brand.logo_url && <img className={styles.logo} src={brand.logo_url} alt="" />}
        <div className={styles.name}>{program[w.name]}</div>
        {tagline && <div className={styles.tagline}>{tagline}</div>}
      </header>
      <h2 className={styles.title}>{w.title}</h2>
      <div className={styles.code}>
        <img src={`data:image/svg+xml,${encodeURIComponent(svg)}`} alt={t('join.codeAlt', { url })} />
      </div>
      <ol className={styles.steps}>{w.steps.map((step, i) => <li key={step}><b>{i + 1}</b><span>{step}</span></li>)}</ol>
      <footer className={styles.foot}>
        <span>{store?.[w.name]}</span>
        <span className={styles.url}>{url.replace(/^https?:\/\//, '')}</span>
      </footer>
    </article>
  );
}
