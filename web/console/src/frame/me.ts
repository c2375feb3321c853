import { api, ok } from '@patron/shared/api/client.ts';
import type { Permission } from '@patron/shared/api/permission.ts';
import { ApiProblem } from '@patron/shared/api/problem.ts';
import type { StaffMeView } from '@patron/shared/api/schema.d.ts';
import { queryOptions, useQuery } from '@tanstack/react-query';
import type { Module } from './feature.ts';

const kept = 'patron.till.me';

/** Who works at the till of this device, kept so that it opens while the server is away. */
export const keepMe = (me: StaffMeView) => localStorage.setItem(kept, JSON.stringify(me));
export const forgetMe = () => localStorage.removeItem(kept);

function keptMe(): StaffMeView | undefined {
  const text = location.pathname.startsWith('/till') ? localStorage.getItem(kept) : null;
  return text === null ? undefined : (JSON.parse(text) as StaffMeView);
}

/** Who is signed in; null for nobody. */
export const meQuery = queryOptions({
  queryKey: ['me'],
  staleTime: 5 * 60_000,
  initialData: keptMe,
  initialDataUpdatedAt: 0, // asked about at once
  queryFn: async (): Promise<StaffMeView | null> => {
    try {
      return await ok(api.GET('/v1/me'));
    } catch (error) {
      if (error instanceof ApiProblem && error.status === 401) return null;
      throw error;
    }
  },
});

/** The person who is signed in. For pages inside the shell, which shows none to anybody else. */
export function useMe(): StaffMeView {
  const me = useQuery(meQuery).data;
  if (!me) throw new Error('useMe outside of the shell');
  return me;
}

/** Whether one may: `can('members.write')`; of several permissions one is enough. None asked for is always given. */
export function useCan(): (needs: Permission | Permission[] | undefined) => boolean {
  const held = useQuery(meQuery).data?.permissions ?? [];
  return (needs) => needs === undefined || (Array.isArray(needs) ? needs : [needs]).some((one) => held.includes(one));
}

/** The settings of the programme, which everybody may read. */
export const programQuery = queryOptions({
  queryKey: ['program'],
  staleTime: 60_000, // a module that a colleague switches off is gone here too, a minute later
  refetchInterval: 60_000,
  queryFn: () => ok(api.GET('/v1/program')),
});

/** Whether the programme uses a module: `uses('till')`. Until the settings are here, all are taken to be on. */
export function useUses(): (module: Module | undefined) => boolean {
  const modules = useQuery(programQuery).data?.modules;
  return (module) => module === undefined || !modules || modules[module];
}
