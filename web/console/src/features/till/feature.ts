import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** The till: a page of its own, which sells while the line is down. */
export const till: Feature = {
  menu: [{ to: '/till', textKey: 'till:menu', icon: 'scan', group: 'daily', needs: 'sales.write', module: 'till' }],
  routes: [{ path: '/till', page: lazy(() => import('./till-page.tsx')), bare: true, offline: true, module: 'till' }],
};
