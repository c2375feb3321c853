import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** Where the programme is run: stores with their join codes, tills, merchants. */
export const places: Feature = {
  menu: [
    { to: '/join-code', textKey: 'program:join.menu', icon: 'qr', group: 'daily', needs: 'members.write', module: 'portal' },
    { to: '/stores', textKey: 'program:places.menu', icon: 'store', group: 'manage', needs: 'program.manage' },
  ],
  routes: [
    { path: '/join-code', page: lazy(() => import('./join-code-page.tsx')), needs: 'members.write', module: 'portal' },
    { path: '/stores', page: lazy(() => import('./stores-page.tsx')), needs: 'program.manage' },
    { path: '/stores/tills', page: lazy(() => import('./tills-page.tsx')), needs: 'program.manage' },
    { path: '/stores/merchants', page: lazy(() => import('./merchants-page.tsx')), needs: 'program.manage' },
  ],
};

/** How the programme is run. The other pages of the settings are those of the staff. */
export const program: Feature = {
  menu: [{ to: '/settings', textKey: 'frame:settings.menu', icon: 'settings', group: 'manage', needs: ['program.manage', 'staff.manage', 'keys.manage'] }],
  routes: [{ path: '/settings', page: lazy(() => import('./program-page.tsx')) }],
};
