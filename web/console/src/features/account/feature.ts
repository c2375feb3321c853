import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** One's own account: password and sessions. Signing in and setting up are here too, outside of the menu. */
export const account: Feature = {
  routes: [{ path: '/account', page: lazy(() => import('./account-page.tsx')) }],
};
