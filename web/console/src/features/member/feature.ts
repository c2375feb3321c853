import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

const page = lazy(() => import('./member-page.tsx'));

/** Members: the list, and all that is known of one. A part of one's page has an address of its own. */
export const member: Feature = {
  menu: [
    { to: '/members', textKey: 'member:menu', icon: 'members', group: 'daily', needs: 'members.read' },
    { to: '/tasks', textKey: 'member:tasks.menu', icon: 'note', group: 'daily', needs: 'members.read', module: 'tasks' },
  ],
  routes: [
    { path: '/members', page: lazy(() => import('./members-page.tsx')), needs: 'members.read' },
    { path: '/tasks', page: lazy(() => import('./tasks-page.tsx')), needs: 'members.read', module: 'tasks' },
    { path: '/members/:ref/:part?', page, needs: 'members.read' },
  ],
  tool: { part: lazy(() => import('./mentions-bell.tsx')) },
};
