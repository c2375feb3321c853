import { chooseLanguage, languages, type Language } from '@patron/shared/i18n/i18n.ts';
import { chooseTheme, useThemeChoice, type ThemeChoice } from '@patron/shared/theme/choice.ts';
import { Mark, Wordmark } from '@patron/shared/ui/brand.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { Button, Drawer, Dropdown, Tooltip } from 'antd';
import { Suspense, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { NavLink, Outlet, useLocation } from 'react-router';
import type { MenuEntry, MenuGroup } from '../frame/feature.ts';
import { useCan, useUses } from '../frame/me.ts';
import { TopBar } from '../frame/page.tsx';
import { features } from './features.ts';
import { PersonMenu } from './person-menu.tsx';
import styles from './shell.module.css';

const groups: MenuGroup[] = ['daily', 'business', 'manage'];
const entries = features.flatMap((f) => f.menu ?? []);
const featureTools = features.flatMap((f) => f.tool ?? []);

/** The frame of every page: the side with the menu, and the sheet on the counter. */
export function Shell() {
  const { t } = useTranslation('frame');
  const { pathname } = useLocation();
  const [openAt, setOpenAt] = useState<string>(); // where the drawer was opened: it closes by going elsewhere
  const open = openAt === pathname;
  const setOpen = (is: boolean) => setOpenAt(is ? pathname : undefined);
  const bar = useMemo(() => ({ openMenu: () => setOpenAt(pathname), tools: <Tools /> }), [pathname]);
  return (
    <div className={styles.shell}>
      <a className={styles.skip} href="#main">{t('skip')}</a>
      <aside className={styles.side}><Side /></aside>
      <Drawer open={open} onClose={() => setOpen(false)} placement="left" size={256} closable={false} styles={{ body: { padding: 0 } }} rootClassName={styles.drawer} title={<span className="visually-hidden">{t('menu.name')}</span>}>
        <div className={styles.side}><Side /></div>
      </Drawer>
      <main id="main" className={styles.sheet} tabIndex={-1}>
        <TopBar value={bar}>
          <Suspense fallback={null}>
            <Outlet />
          </Suspense>
        </TopBar>
      </main>
    </div>
  );
}

function Side() {
  const { t } = useTranslation('frame');
  const can = useCan();
  const uses = useUses();
  const shown = entries.filter((e) => can(e.needs) && uses(e.module));
  return (
    <>
      <div className={styles.brand}><Mark /><Wordmark /></div>
      <nav className={styles.nav} aria-label={t('menu.name')}>
        {groups.map((group) => {
          const own = shown.filter((e) => e.group === group);
          if (own.length === 0) return null;
          return (
            <div key={group}>
              {group !== 'daily' && <h2>{t(`menu.${group}`)}</h2>}
              {own.map((entry) => <Entry key={entry.to} entry={entry} />)}
            </div>
          );
        })}
      </nav>
      <PersonMenu />
    </>
  );
}

const none = () => undefined;

function Entry({ entry }: { entry: MenuEntry }) {
  const { t } = useTranslation();
  const useCount = entry.useCount ?? none;
  const count = useCount();
  return (
    <NavLink to={entry.to} end={entry.to === '/'} className={({ isActive }) => (isActive ? styles.here : '')}>
      <Icon name={entry.icon} />
      <span>{t(entry.textKey)}</span>
      {count ? <span className={styles.count}>{count}</span> : null}
    </NavLink>
  );
}

const themes: ThemeChoice[] = ['system', 'light', 'dark'];

/** The right end of the top bar: what features put there, then language and theme. */
function Tools() {
  const { t, i18n } = useTranslation('frame');
  const theme = useThemeChoice();
  return (
    <>
      {featureTools.map(({ part: Tool, wide }, i) => <Suspense key={i} fallback={<span className={wide ? styles.wide : styles.place} />}><Tool /></Suspense>)}
      <Dropdown
        trigger={['click']}
        menu={{
          selectable: true,
          multiple: true,
          selectedKeys: [i18n.language, theme],
          items: [
            { type: 'group', label: t('language'), children: Object.entries(languages).map(([key, label]) => ({ key, label, lang: key })) },
            { type: 'group', label: t('theme.name'), children: themes.map((key) => ({ key, label: t(`theme.${key}`) })) },
          ],
          onClick: ({ key }) => (key in languages ? void chooseLanguage(key as Language) : chooseTheme(key as ThemeChoice)),
        }}
      >
        <Tooltip title={t('look')}><Button type="text" icon={<Icon name="globe" />} aria-label={t('look')} /></Tooltip>
      </Dropdown>
    </>
  );
}
