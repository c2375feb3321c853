import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** Ladders of tiers: who stands where, what it takes and what it gives. */
export const tier: Feature = {
  menu: [{ to: '/tiers', textKey: 'tier:menu', icon: 'tier', group: 'business', needs: 'rules.read' }],
  routes: [
    { path: '/tiers', page: lazy(() => import('./tiers-page.tsx')), needs: 'rules.read' },
    { path: '/tiers/:code', page: lazy(() => import('./scheme-page.tsx')), needs: 'rules.read' },
  ],
};
