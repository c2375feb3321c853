import { Icon, type IconName } from '@patron/shared/ui/icon.tsx';
import { Suspense, useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { NavLink, Outlet, useLocation } from 'react-router';
import { Button, Skeleton } from '../frame/parts.tsx';
import { useNewer } from './worker.ts';

/** The page in the middle and the tabs below. */
export function Shell() {
  const { t } = useTranslation('frame');
  const { pathname } = useLocation();
  const newer = useNewer();
  useEffect(() => { window.scrollTo(0, 0); }, [pathname]); // its answer is no clean-up
  const tabs: { to: string; icon: IconName; label: string }[] = [
    { to: '/', icon: 'home', label: t('tab.home') },
    { to: '/coupons', icon: 'coupon', label: t('tab.coupons') },
    { to: '/points', icon: 'ledger', label: t('tab.points') },
    { to: '/purchases', icon: 'sale', label: t('tab.purchases') },
    { to: '/me', icon: 'member', label: t('tab.mine') },
  ];
  return (
    <div className="shell">
      {newer && <div className="alert info" role="status"><span>{t('newer')}</span><Button look="text" onClick={() => location.reload()}>{t('reload')}</Button></div>}
      <Suspense fallback={<main className="page"><header className="top" /><Skeleton height={72} rows={3} /></main>}><Outlet /></Suspense>
      <nav className="tabs" aria-label={t('tabs')}>
        {tabs.map((tab) => <NavLink key={tab.to} to={tab.to} end={tab.to === '/'}><Icon name={tab.icon} size={24} /><span>{tab.label}</span></NavLink>)}
      </nav>
    </div>
  );
}
