import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** A short guide for each role, with links into the pages. */
export const help: Feature = {
  routes: [{ path: '/help', page: lazy(() => import('./help-page.tsx')) }],
  tool: { part: lazy(() => import('./help-button.tsx')) },
};
