import { Blank } from '@patron/shared/ui/blank.tsx';
import { useQuery } from '@tanstack/react-query';
import { Component, lazy, Suspense, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { BrowserRouter, Link, Navigate, Outlet, Route, Routes, useLocation } from 'react-router';
import { DoorPage } from '../features/door/door-page.tsx';
import { HomePage } from '../features/home/home-page.tsx';
import { MeContext, meQuery } from '../frame/me.ts';
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
  tier: lazy(() => import('../features/tier/tier-page.tsx')),
  plan: lazy(() => import('../features/plan/plan-page.tsx')),
  offers: lazy(() => import('../features/offer/offers-page.tsx')),
  rewards: lazy(() => import('../features/reward/rewards-page.tsx')),
  reward: lazy(() => import('../features/reward/reward-page.tsx')),
  rewardOrders: lazy(() => import('../features/reward/orders-page.tsx')),
  rewardOrder: lazy(() => import('../features/reward/order-page.tsx')),
  draws: lazy(() => import('../features/draw/draws-page.tsx')),
  draw: lazy(() => import('../features/draw/draw-page.tsx')),
  drawCheck: lazy(() => import('../features/draw/check-page.tsx')),
  vouchers: lazy(() => import('../features/coupon/vouchers-page.tsx')),
  centre: lazy(() => import('../features/coupon/centre-page.tsx')),
  gift: lazy(() => import('../features/coupon/gift-page.tsx')),
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
  return me.data ? <MeContext value={me.data}>{children}</MeContext> : <Navigate to="/sign-in" replace state={{ to: pathname }} />;
}

function Missing() {
  const { t } = useTranslation('ui');
  return <Page title={t('missing.title')} back="/"><Blank drawing="result" title={t('missing.title')} text={t('missing.text')} action={<Link className="btn line" to="/">{t('home')}</Link>} /></Page>;
}

/** A page broke. Where it is a part that a newer version replaced, loading anew mends it. */
class Guard extends Component<{ children: ReactNode }, { error?: unknown }> {
  override state: { error?: unknown } = {};

  static getDerivedStateFromError(error: unknown) {
    return { error };
  }

  override render() {
    return this.state.error === undefined ? this.props.children : <main className="page"><Failed error={this.state.error} retry={() => location.reload()} /></main>;
  }
}

/** The page of an address; another address is another try. */
function Guarded() {
  return <Guard key={useLocation().pathname}><Outlet /></Guard>;
}

/** Plain routes: the router with loaders and forms of its own would cost the first visit 20 kB. */
export function Pages() {
  return (
    <BrowserRouter basename="/portal">
      <Guard>
        <Routes>
          <Route element={<Root />}>
            <Route path="/sign-in" element={<DoorPage />} />
            <Route path="/join" element={<DoorPage joining />} />
            <Route path="/inbox" element={<pages.inbox />} />
            <Route path="/draws/:id/check/:epoch?" element={<pages.drawCheck />} />
            <Route element={<Inside><Shell /></Inside>}>
              <Route element={<Guarded />}>
                <Route path="/" element={<HomePage />} />
                <Route path="/points" element={<pages.history />} />
                <Route path="/points/give" element={<pages.give />} />
                <Route path="/purchases" element={<pages.purchases />} />
                <Route path="/purchases/:id" element={<pages.purchase />} />
                <Route path="/me" element={<pages.mine />} />
                <Route path="/me/profile" element={<pages.profile />} />
                <Route path="/me/consents" element={<pages.consents />} />
                <Route path="/me/sessions" element={<pages.sessions />} />
                <Route path="/me/close" element={<pages.close />} />
                <Route path="/tier" element={<pages.tier />} />
                <Route path="/plan" element={<pages.plan />} />
                <Route path="/offers" element={<pages.offers />} />
                <Route path="/rewards" element={<pages.rewards />} />
                <Route path="/rewards/orders" element={<pages.rewardOrders />} />
                <Route path="/rewards/orders/:id" element={<pages.rewardOrder />} />
                <Route path="/rewards/:id" element={<pages.reward />} />
                <Route path="/draws" element={<pages.draws />} />
                <Route path="/draws/:id" element={<pages.draw />} />
                <Route path="/coupons" element={<pages.vouchers />} />
                <Route path="/coupons/claim" element={<pages.centre />} />
                <Route path="/gift/:token" element={<pages.gift />} />
                <Route path="*" element={<Missing />} />
              </Route>
            </Route>
          </Route>
        </Routes>
      </Guard>
    </BrowserRouter>
  );
}
