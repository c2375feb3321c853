import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** Who works here and what they may do, machines too. Pages of the settings, whose entry in the menu is the programme's. */
export const staff: Feature = {
  routes: [
    { path: '/settings/staff', page: lazy(() => import('./staff-page.tsx')), needs: 'staff.manage' },
    { path: '/settings/roles', page: lazy(() => import('./roles-page.tsx')) },
    { path: '/settings/keys', page: lazy(() => import('./keys-page.tsx')), needs: 'keys.manage' },
  ],
};
