import { api, ok } from '@patron/shared/api/client.ts';
import { queryOptions } from '@tanstack/react-query';
import { keyOf } from './api.ts';

export const consentsQuery = (id: string) => queryOptions({ queryKey: [...keyOf(id), 'consents'], queryFn: () => ok(api.GET('/v1/members/{ref}/consents', { params: { path: { ref: id } } })) });
