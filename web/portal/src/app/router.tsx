import { Blank } from '@patron/shared/ui/blank.tsx';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { createBrowserRouter, Link, Navigate, Outlet, useLocation, useRouteError } from 'react-router';
import { DoorPage } from '../features/door/door-page.tsx';
import { HomePage } from '../features/home/home-page.tsx';
import { meQuery } from '../frame/me.ts';
import { Failed, Page, Skeleton } from '../frame/parts.tsx';
import { useBrand } from '../frame/program.ts';
import { Shell } from './shell.tsx';

// Home and door come with the first load; the rest when it is opened.
const pages = {
  history: lazy(() => import('../features/points/history-page.tsx')),
  give: lazy(() => import('../features/points/give-page.tsx')),
  purchases: lazy(() => import('../features/purchases/purchases-page.tsx')),
  purchase: lazy(() => import('../features/purchases/purchase-page.tsx')),
  mine: lazy(() => import('../features/mine/mine-page.tsx')),
  profile: lazy(() => import('../features/mine/profile-page.tsx')),
  consents: lazy(() => import('../features/mine/consents-page.tsx')),
  sessions: lazy(() => import('../features/mine/sessions-page.tsx')),
  close: lazy(() => import('../features/mine/close-page.tsx')),
  inbox: lazy(() => import('../features/door/inbox-page.tsx')),
};

function Root() {
  useBrand();
  return <Suspense fallback={<Waiting />}><Outlet /></Suspense>;
}

const Waiting = () => <main className="page"><header className="top" /><Skeleton height={72} rows={3} /></main>;

/** Lets in who is signed in; strangers go to the door, and afterwards to where they wanted. */
function Inside({ children }: { children: ReactNode }) {
  const me = useQuery(meQuery);
  const { pathname } = useLocation();
  if (me.isPending) return <Waiting />;
  if (me.data === undefined) return <main className="page"><Failed error={me.error} retry={() => void me.refetch()} /></main>;
  return me.data ? children : <Navigate to="/sign-in" replace state={{ to: pathname }} />;
}

function Missing() {
  const { t } = useTranslation('ui');
  return <Page title={t('missing.title')} back="/"><Blank drawing="result" title={t('missing.title')} text={t('missing.text')} action={<Link className="btn line" to="/">{t('home')}</Link>} /></Page>;
}

/** A page broke. Where it is a part that a newer version replaced, loading anew mends it. */
function Broken() {
  const error = useRouteError();
  return <main className="page"><Failed error={error} retry={() => location.reload()} /></main>;
}

export const router = createBrowserRouter([
  {
    element: <Root />,
    errorElement: <Broken />,
    children: [
      { path: '/sign-in', element: <DoorPage /> },
      { path: '/join', element: <DoorPage joining /> },
      { path: '/inbox', element: <pages.inbox /> },
      {
        element: <Inside><Shell /></Inside>,
        children: [
          { path: '/', element: <HomePage /> },
          { path: '/points', element: <pages.history /> },
          { path: '/points/give', element: <pages.give /> },
          { path: '/purchases', element: <pages.purchases /> },
          { path: '/purchases/:id', element: <pages.purchase /> },
          { path: '/me', element: <pages.mine /> },
          { path: '/me/profile', element: <pages.profile /> },
          { path: '/me/consents', element: <pages.consents /> },
          { path: '/me/sessions', element: <pages.sessions /> },
          { path: '/me/close', element: <pages.close /> },
          { path: '*', element: <Missing /> },
        ].map((r) => ({ ...r, errorElement: <Broken /> })),
      },
    ],
  },
], { basename: '/portal' });
