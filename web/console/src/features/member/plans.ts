import { api, ok } from '@patron/shared/api/client.ts';
import { queryOptions } from '@tanstack/react-query';

/** The plans of paid membership; the part of a member's page shows where there are any. */
export const plansQuery = queryOptions({ queryKey: ['plans'], queryFn: () => ok(api.GET('/v1/plans')), staleTime: 60_000 });
