import { api, ok } from '@patron/shared/api/client.ts';
import { asProblem } from '@patron/shared/api/problem.ts';
import type { Permission } from '@patron/shared/api/permission.ts';
import type { StaffMeView } from '@patron/shared/api/schema.d.ts';
import { chooseLanguage, languages, type Language } from '@patron/shared/i18n/i18n.ts';
import { chooseTheme, useThemeChoice, type ThemeChoice } from '@patron/shared/theme/choice.ts';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { forgetMe } from '../../frame/me.ts';
import type { Sheet } from './desk.tsx';
import { forgetRecent, leavePlace } from './device.ts';
import { Dialog, Trouble } from './dialog.tsx';
import { forget, heard, useTill } from './sender.ts';
import styles from './till.module.css';

const acts: { sheet: Sheet; key: string; needs?: Permission }[] = [
  { sheet: 'hand', key: 'G', needs: 'points.write' },
  { sheet: 'back', key: 'R' },
  { sheet: 'undo', key: 'V' },
  { sheet: 'receipts', key: 'P' },
  { sheet: 'shift', key: 'S' },
  { sheet: 'waiting', key: 'W' },
];
const themes: ThemeChoice[] = ['system', 'light', 'dark'];

/** What a cashier does now and then. Each has its letter. */
export function Menu({ me, open, close }: { me: StaffMeView; open: (sheet: Sheet) => void; close: () => void }) {
  const { t, i18n } = useTranslation('till');
  const theme = useThemeChoice();
  const { entries } = useTill();
  const [problem, setProblem] = useState<string>();
  const can = me.permissions ?? [];
  const mine = acts.filter((a) => !a.needs || can.includes(a.needs));
  const waiting = entries.filter((e) => e.state === 'waiting' || e.state === 'aside').length;
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      const act = acts.find((a) => a.key === event.key.toUpperCase() && (!a.needs || me.permissions?.includes(a.needs)));
      if (!act || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      open(act.sheet);
    };
    document.addEventListener('keydown', key);
    return () => document.removeEventListener('keydown', key);
  }, [open, me]);

  /** Names go, sales that wait stay. The session ends at the server, so it takes a line. */
  async function signOut() {
    try {
      await ok(api.POST('/v1/sign-out'));
      forgetMe();
      forgetRecent();
      await forget();
      location.reload(); // nothing of what was typed stays behind
    } catch (error) {
      const refused = asProblem(error);
      heard(refused);
      setProblem(refused.status === 0 ? t('menuSheet.outOffline') : refused.message);
    }
  }

  return (
    <Dialog title={t('more')} close={close}>
      <div className={styles.acts}>
        {mine.map(({ sheet, key }) => <button key={sheet} type="button" className={styles.button} onClick={() => open(sheet)}>{t(`menuSheet.${sheet}`)}<kbd>{key}</kbd></button>)}
      </div>
      <div className={styles.look}>
        <div className={styles.switch} role="group" aria-label={t('menuSheet.language')}>
          {Object.entries(languages).map(([key, label]) => <button key={key} type="button" lang={key} aria-pressed={i18n.language === key} onClick={() => void chooseLanguage(key as Language)}>{label}</button>)}
        </div>
        <div className={styles.switch} role="group" aria-label={t('menuSheet.theme')}>
          {themes.map((key) => <button key={key} type="button" aria-pressed={theme === key} onClick={() => chooseTheme(key)}>{t(`menuSheet.themes.${key}`)}</button>)}
        </div>
      </div>
      {problem && <Trouble>{problem}</Trouble>}
      <div className={styles.acts}>
        <a className={styles.button} href="/">{t('menuSheet.console')}</a>
        <button type="button" className={styles.button} onClick={leavePlace}>{t('menuSheet.place')}</button>
        <button type="button" className={styles.button} onClick={() => void signOut()}>{t('menuSheet.out', { name: me.name })}</button>
      </div>
      {waiting > 0 && <p className={styles.note}>{t('menuSheet.outWaiting', { count: waiting })}</p>}
    </Dialog>
  );
}
