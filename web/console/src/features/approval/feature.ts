import { api, ok } from '@patron/shared/api/client.ts';
import { useQuery } from '@tanstack/react-query';
import { lazy } from 'react';
import type { Feature } from '../../frame/feature.ts';

/** How many wait, for the menu: no more than a page of them is counted. */
function useWaiting() {
  const waiting = useQuery({ queryKey: ['approvals', 'waiting', 'count'], refetchInterval: 60_000, queryFn: () => ok(api.GET('/v1/approvals', { params: { query: { state: 'waiting', limit: 50 } } })) });
  return waiting.data?.items?.length;
}

/** What one person asked for and a second has to agree to. */
export const approval: Feature = {
  menu: [{ to: '/approvals', textKey: 'approval:menu', icon: 'approve', group: 'manage', needs: 'points.adjust', useCount: useWaiting }],
  routes: [{ path: '/approvals', page: lazy(() => import('./approvals-page.tsx')), needs: 'points.adjust' }],
};
