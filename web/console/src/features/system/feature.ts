import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** The program itself: version, disk, backups, whether the books add up, and what runs in the background. */
export const system: Feature = {
  menu: [
    { to: '/jobs', textKey: 'system:jobs.menu', icon: 'job', group: 'manage', needs: 'system.operate' },
    { to: '/system', textKey: 'system:menu', icon: 'server', group: 'manage', needs: 'system.operate' },
  ],
  routes: [
    { path: '/jobs', page: lazy(() => import('./jobs-page.tsx')), needs: 'system.operate' },
    { path: '/system', page: lazy(() => import('./system-page.tsx')), needs: 'system.operate' },
  ],
};
