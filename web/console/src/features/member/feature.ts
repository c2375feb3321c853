import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

const page = lazy(() => import('./member-page.tsx'));

/** Members: the list, and all that is known of one. A part of one's page has an address of its own. */
export const member: Feature = {
  menu: [{ to: '/members', textKey: 'member:menu', icon: 'members', group: 'daily', needs: 'members.read' }],
  routes: [
    { path: '/members', page: lazy(() => import('./members-page.tsx')), needs: 'members.read' },
    { path: '/members/:ref/:part?', page, needs: 'members.read' },
  ],
};
