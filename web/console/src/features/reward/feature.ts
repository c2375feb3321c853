import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** Rewards and what members ordered of them. */
export const reward: Feature = {
  menu: [{ to: '/rewards', textKey: 'reward:menu', icon: 'gift', group: 'business', needs: 'rules.read' }],
  routes: [
    { path: '/rewards', page: lazy(() => import('./rewards-page.tsx')), needs: 'rules.read' },
    { path: '/rewards/orders', page: lazy(() => import('./orders-page.tsx')), needs: 'points.read' },
    { path: '/rewards/orders/:id', page: lazy(() => import('./order-page.tsx')), needs: 'points.read' },
    { path: '/rewards/:id', page: lazy(() => import('./reward-page.tsx')), needs: 'rules.read' },
  ],
};
