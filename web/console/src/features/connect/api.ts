import { api, ok } from '@patron/shared/api/client.ts';
import { queryOptions } from '@tanstack/react-query';

export type Kind = 'members' | 'sales' | 'products' | 'balances' | 'events';

/** What a file may be about, the most usual first. */
export const kinds: Kind[] = ['members', 'sales', 'products', 'balances', 'events'];

/** As the server bounds an upload. */
export const mostBytes = 200 * 1024 * 1024;

export const importKey = (id: string) => ['import', id] as const;

/** An import, asked about twice a second while its job runs. */
export const importQuery = (id: string) =>
  queryOptions({
    queryKey: importKey(id),
    queryFn: () => ok(api.GET('/v1/imports/{id}', { params: { path: { id } } })),
    refetchInterval: ({ state }) => (state.data?.state === 'started' ? 500 : false),
  });

const get = (id: string, sheet: string | undefined) => ok(api.GET('/v1/imports/{id}/preview', { params: { path: { id }, query: { sheet } } }));
export type Preview = Awaited<ReturnType<typeof get>>;
export const previewQuery = (id: string, sheet: string | undefined) => queryOptions({ queryKey: [...importKey(id), 'preview', sheet ?? ''], queryFn: () => get(id, sheet), staleTime: Infinity });
