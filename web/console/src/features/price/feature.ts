import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** Member prices: lists of what products cost members, for whom, where and when. */
export const price: Feature = {
  menu: [{ to: '/prices', textKey: 'price:menu', icon: 'tag', group: 'business', needs: 'rules.read' }],
  routes: [
    { path: '/prices', page: lazy(() => import('./prices-page.tsx')), needs: 'rules.read' },
    { path: '/prices/:id', page: lazy(() => import('./price-page.tsx')), needs: 'rules.read' },
  ],
};
