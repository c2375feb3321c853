import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** The people: who they are and how they are found. */
export const members: Feature = {
  menu: [{ to: '/members', textKey: 'members:menu', icon: 'members', group: 'daily', needs: 'members.read' }],
  routes: [{ path: '/members', needs: 'members.read', page: lazy(() => import('./members-page.tsx')) }],
};
