import { Icon } from '@patron/shared/ui/icon.tsx';
import { Button } from 'antd';
import { createContext, Fragment, useContext, useEffect, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import styles from './page.module.css';

/** What the shell gives to the top bar of every page. */
export const TopBar = createContext<{ openMenu: () => void; tools: ReactNode }>({ openMenu: () => {}, tools: null });

interface Props {
  title: string;
  /** The way here: [{ to: '/members', title: t('menu') }]. */
  crumbs?: { to: string; title: string }[];
  /** Buttons of this page; one of them filled at most. */
  actions?: ReactNode;
  children: ReactNode;
}

/** One page: the top bar with its title, and the sheet under it. */
export function Page({ title, crumbs = [], actions, children }: Props) {
  const { t } = useTranslation('frame');
  const { openMenu, tools } = useContext(TopBar);
  useEffect(() => {
    document.title = `${title} · Patron 常客`;
  }, [title]);
  return (
    <>
      <header className={styles.top}>
        <Button className={styles.menu} type="text" icon={<Icon name="menu" />} aria-label={t('menu.open')} onClick={openMenu} />
        <h1 className={styles.title}>
          {crumbs.map((crumb) => (
            <Fragment key={crumb.to}>
              <Link to={crumb.to}>{crumb.title}</Link>
              <span aria-hidden className={styles.slash}>/</span>
            </Fragment>
          ))}
          <span className={crumbs.length ? styles.leaf : undefined}>{title}</span>
        </h1>
        <div className={styles.actions}>{actions}</div>
        <div className={styles.tools}>{tools}</div>
      </header>
      <div className={styles.body}>{children}</div>
    </>
  );
}
