import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useState, type ReactNode } from 'react';
import { createBrowserRouter, Outlet, useRouteError, type RouteObject } from 'react-router';
import type { FeatureRoute } from '../frame/feature.ts';
import { meQuery, useCan, useUses } from '../frame/me.ts';
import { Page } from '../frame/page.tsx';
import { ErrorState, ForbiddenState, NotFoundState } from '../ui/states.tsx';
import { OffState } from '../ui/off-state.tsx';
import { features } from './features.ts';
import { Shell } from './shell.tsx';
import { useTranslation } from 'react-i18next';

const SignIn = lazy(() => import('../features/account/sign-in-page.tsx'));
const Setup = lazy(() => import('../features/account/setup-page.tsx'));

/** Lets nobody in but the signed in. The address stays, so that a link leads there after signing in. */
function SignedIn() {
  const me = useQuery(meQuery);
  if (me.isPending) return null;
  if (me.error && !me.data) return <ErrorState error={me.error} retry={() => void me.refetch()} />;
  return me.data ? <Outlet /> : <Suspense fallback={null}><SignIn /></Suspense>;
}

/** The same for a page that must not lose what was typed when a session ends: the door stands before it, and it stays. */
function StaysOpen() {
  const me = useQuery(meQuery);
  const [who, setWho] = useState<string>(); // whose page it is: another person gets one of their own
  if (me.data && me.data.id !== who) setWho(me.data.id);
  if (me.isPending && me.fetchStatus !== 'paused') return null;
  if (me.data === undefined) return <ErrorState error={me.error} retry={() => void me.refetch()} />;
  const out = me.data === null;
  return (
    <>
      {who && <div key={who} inert={out} style={{ display: out ? 'none' : 'contents' }}><Outlet /></div>}
      {out && <Suspense fallback={null}><SignIn /></Suspense>}
    </>
  );
}

function Allowed({ needs, module, children }: { needs: FeatureRoute['needs']; module: FeatureRoute['module']; children: ReactNode }) {
  const { t } = useTranslation('frame');
  const can = useCan();
  const uses = useUses();
  if (!can(needs)) return <Page title={t('forbidden')}><ForbiddenState needs={needs} /></Page>;
  if (module && !uses(module)) return <Page title={t(`modules.${module}`)}><OffState module={module} /></Page>;
  return children;
}

function Missing() {
  const { t } = useTranslation('frame');
  return <Page title={t('missing')}><NotFoundState /></Page>;
}

/** A page broke. Where it is a part that a newer version replaced, loading anew mends it. */
function Broken() {
  const { t } = useTranslation('frame');
  const error = useRouteError();
  return <Page title={t('broken')}><ErrorState error={error} retry={() => location.reload()} /></Page>;
}

const route = ({ path, page: View, needs, module }: FeatureRoute): RouteObject => ({
  path,
  element: <Allowed needs={needs} module={module}><View /></Allowed>,
  errorElement: <Broken />,
});

const routes = features.flatMap((f) => f.routes);

export const router = createBrowserRouter([
  { path: '/setup', element: <Suspense fallback={null}><Setup /></Suspense>, errorElement: <Broken /> },
  {
    element: <SignedIn />,
    errorElement: <Broken />,
    children: [
      { element: <Shell />, children: [...routes.filter((r) => !r.bare).map(route), { path: '*', element: <Missing /> }] },
      { element: <Suspense fallback={null}><Outlet /></Suspense>, children: routes.filter((r) => r.bare && !r.offline).map(route) },
    ],
  },
  {
    element: <Suspense fallback={null}><StaysOpen /></Suspense>,
    errorElement: <Broken />,
    children: routes.filter((r) => r.offline).map(route),
  },
]);
