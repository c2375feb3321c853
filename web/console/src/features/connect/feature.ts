import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** Files that come in: uploaded, matched with what we know, tried, brought in. */
export const connect: Feature = {
  menu: [{ to: '/imports', textKey: 'connect:menu', icon: 'upload', group: 'manage', needs: 'lists.import' }],
  routes: [
    { path: '/imports', page: lazy(() => import('./imports-page.tsx')), needs: 'lists.import' },
    { path: '/imports/:id', page: lazy(() => import('./import-page.tsx')), needs: 'lists.import' },
  ],
};
