import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** Games of chance: wheel, scratch card, box. */
export const draw: Feature = {
  menu: [{ to: '/draws', textKey: 'draw:menu', icon: 'diamond', group: 'business', needs: 'rules.read' }],
  routes: [
    { path: '/draws', page: lazy(() => import('./draws-page.tsx')), needs: 'rules.read' },
    { path: '/draws/prizes', page: lazy(() => import('./prizes-page.tsx')), needs: 'points.write' },
    { path: '/draws/:id', page: lazy(() => import('./draw-page.tsx')), needs: 'rules.read' },
  ],
};
