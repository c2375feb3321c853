import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** What the shop sells. */
export const catalog: Feature = {
  menu: [{ to: '/products', textKey: 'catalog:menu', icon: 'tag', group: 'business', needs: 'catalog.read' }],
  routes: [
    { path: '/products', page: lazy(() => import('./products-page.tsx')), needs: 'catalog.read' },
    { path: '/products/:sku', page: lazy(() => import('./product-page.tsx')), needs: 'catalog.read' },
  ],
};
