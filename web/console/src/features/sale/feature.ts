import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** Sales and returns: the list, one of them, and what waits for somebody to look. */
export const sale: Feature = {
  menu: [{ to: '/sales', textKey: 'sale:menu', icon: 'sale', group: 'daily', needs: 'sales.read' }],
  routes: [
    { path: '/sales', page: lazy(() => import('./sales-page.tsx')), needs: 'sales.read' },
    { path: '/sales/:id', page: lazy(() => import('./sale-page.tsx')), needs: 'sales.read' },
  ],
};
