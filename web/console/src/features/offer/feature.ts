import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** Offers and challenges, badges, the daily check-in, leaderboards. */
export const offer: Feature = {
  menu: [{ to: '/offers', textKey: 'offer:menu', icon: 'heart', group: 'business', needs: 'rules.read' }],
  routes: [
    { path: '/offers', page: lazy(() => import('./offers-page.tsx')), needs: 'rules.read' },
    { path: '/offers/play', page: lazy(() => import('./play-page.tsx')), needs: 'rules.read' },
    { path: '/offers/:id', page: lazy(() => import('./offer-page.tsx')), needs: 'rules.read' },
  ],
};
