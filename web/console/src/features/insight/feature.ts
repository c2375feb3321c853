import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** The overview, and the search in the top bar of every page. */
export const insight: Feature = {
  menu: [{ to: '/', textKey: 'insight:menu', icon: 'chart', group: 'daily' }],
  routes: [{ path: '/', page: lazy(() => import('./overview-page.tsx')) }],
  tool: { part: lazy(() => import('./search.tsx')), wide: true },
};
