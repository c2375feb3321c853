import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** Paid membership: what is sold, who has it, what it brings. */
export const plan: Feature = {
  menu: [{ to: '/plans', textKey: 'plan:menu', icon: 'star', group: 'business', needs: 'rules.read' }],
  routes: [
    { path: '/plans', page: lazy(() => import('./plans-page.tsx')), needs: 'rules.read' },
    { path: '/plans/:id', page: lazy(() => import('./plan-page.tsx')), needs: 'rules.read' },
  ],
};
