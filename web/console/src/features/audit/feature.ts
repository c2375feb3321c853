import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** Who changed what, when, and from where. */
export const audit: Feature = {
  menu: [{ to: '/audit', textKey: 'audit:menu', icon: 'shield', group: 'manage', needs: 'audit.read' }],
  routes: [{ path: '/audit', page: lazy(() => import('./audit-page.tsx')), needs: 'audit.read' }],
};
