import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** What tills gave while the line was down, and the books did not hold. */
export const offline: Feature = {
  menu: [{ to: '/offline', textKey: 'offline:menu', icon: 'warning', group: 'manage', needs: 'program.manage', module: 'till' }],
  routes: [{ path: '/offline', page: lazy(() => import('./offline-page.tsx')), needs: 'sales.read' }],
};
