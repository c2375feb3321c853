import { api, ok } from '@patron/shared/api/client.ts';
import type { StaffAccountView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useQuery } from '@tanstack/react-query';

export type Role = StaffAccountView['role'];

/** The table of internal/staff/roles.go: which role may do what, with names in both languages. */
export function useRoles() {
  const { language } = useFormat();
  const query = useQuery({ queryKey: ['roles'], queryFn: () => ok(api.GET('/v1/roles')), staleTime: Infinity });
  const label = (it: { label_en: string; label_zh: string }) => (language === 'zh-CN' ? it.label_zh : it.label_en);
  const roles = (query.data?.roles ?? []).map((r) => ({ name: r.name as Role, label: label(r) }));
  const permissions = (query.data?.permissions ?? []).map((p) => ({ name: p.name, label: label(p), roles: (p.roles ?? []) as Role[] }));
  return {
    query,
    roles,
    permissions,
    roleName: (name: string) => roles.find((r) => r.name === name)?.label ?? name,
    permissionName: (name: string) => permissions.find((p) => p.name === name)?.label ?? name,
  };
}
