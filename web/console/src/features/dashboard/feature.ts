import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** The first page: how the shop does. */
export const dashboard: Feature = {
  menu: [{ to: '/', textKey: 'dashboard:menu', icon: 'chart', group: 'daily' }],
  routes: [{ path: '/', page: lazy(() => import('./dashboard-page.tsx')) }],
};
