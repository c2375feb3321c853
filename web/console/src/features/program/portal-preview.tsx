import type { ProgramSettingsView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useTranslation } from 'react-i18next';
import { Section } from '../../ui/section.tsx';
import { isColor } from './color-field.tsx';
import type { Values } from './settings.ts';
import styles from './portal-preview.module.css';

/** The member's card as it will look, drawn from what the form holds. */
export function PortalPreview({ settings, values }: { settings: ProgramSettingsView; values: Values }) {
  const { t } = useTranslation('program');
  const { language, points } = useFormat();
  const zh = language === 'zh-CN';
  const name = (zh ? values.name_zh : values.name_en) || settings.name_zh;
  const brand = values.brand ?? {};
  const tagline = zh ? brand.tagline_zh || brand.tagline_en : brand.tagline_en || brand.tagline_zh;
  const color = isColor(brand.color) ? brand.color : undefined;
  return (
    <Section title={t('preview.title')} note={t('preview.note')}>
      <div className={styles.phone} style={color ? ({ '--brand': color, '--brand-card': color } as React.CSSProperties) : undefined}>
        <div className={styles.top}>
          {settings.brand.logo_url && <img src={settings.brand.logo_url} alt="" />}
          <b>{name}</b>
        </div>
        {tagline && <p className={styles.tagline}>{tagline}</p>}
        <div className={styles.card}>
          <div className={styles.hello}>{t('preview.hello')}</div>
          <div className={styles.quiet}>{t('preview.usable')}</div>
          <div className={styles.balance}>{points(2480)}</div>
          <div className={styles.line}>{t('preview.show')}</div>
        </div>
        <div className={styles.button} aria-hidden>{t('preview.button')}</div>
        <span className={styles.link}>{t('preview.link')}</span>
      </div>
    </Section>
  );
}
