import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** What earns: rules, how they go together, and what they would have given. The editor's builder is fetched with its page alone. */
export const rule: Feature = {
  menu: [{ to: '/rules', textKey: 'rule:menu', icon: 'rule', group: 'business', needs: 'rules.read' }],
  routes: [
    { path: '/rules', page: lazy(() => import('./rules-page.tsx')), needs: 'rules.read' },
    { path: '/rules/new', page: lazy(() => import('./rule-page.tsx')), needs: 'rules.write' },
    { path: '/rules/calendar', page: lazy(() => import('./calendar-page.tsx')), needs: 'rules.read' },
    { path: '/rules/groups', page: lazy(() => import('./groups-page.tsx')), needs: 'rules.read' },
    { path: '/rules/tests', page: lazy(() => import('./tests-page.tsx')), needs: 'rules.read' },
    { path: '/rules/tests/:id', page: lazy(() => import('./test-page.tsx')), needs: 'rules.read' },
    { path: '/rules/failures', page: lazy(() => import('./failures-page.tsx')), needs: 'rules.read' },
    { path: '/rules/:ref', page: lazy(() => import('./rule-page.tsx')), needs: 'rules.read' },
  ],
};
