import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** Points: the ledger over all members, what is owed, and the point currencies with their policies. */
export const ledger: Feature = {
  menu: [
    { to: '/points', textKey: 'ledger:menu', icon: 'ledger', group: 'daily', needs: 'points.read' },
    { to: '/currencies', textKey: 'ledger:currencies.menu', icon: 'gift', group: 'business', needs: 'points.read' },
    { to: '/liability', textKey: 'ledger:liability.menu', icon: 'table', group: 'business', needs: 'reports.read' },
  ],
  routes: [
    { path: '/points', page: lazy(() => import('./entries-page.tsx')), needs: 'points.read' },
    { path: '/currencies', page: lazy(() => import('./currencies-page.tsx')), needs: 'points.read' },
    { path: '/currencies/:code', page: lazy(() => import('./currency-page.tsx')), needs: 'points.read' },
    { path: '/liability', page: lazy(() => import('./liability-page.tsx')), needs: 'reports.read' },
  ],
};
