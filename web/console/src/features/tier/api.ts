import { api, ok } from '@patron/shared/api/client.ts';
import { queryOptions } from '@tanstack/react-query';

export const schemesQuery = queryOptions({ queryKey: ['tier-schemes'], queryFn: () => ok(api.GET('/v1/tier-schemes')) });
export const schemeQuery = (code: string) => queryOptions({ queryKey: ['tier-schemes', code], queryFn: () => ok(api.GET('/v1/tier-schemes/{code}', { params: { path: { code } } })) });
