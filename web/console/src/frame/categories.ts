import { api, ok } from '@patron/shared/api/client.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useQuery } from '@tanstack/react-query';

/** The categories, and what a path is called: 茶 / 绿茶. */
export function useCategories() {
  const { named } = useFormat();
  const list = useQuery({ queryKey: ['categories'], queryFn: () => ok(api.GET('/v1/categories', { params: { query: { limit: 200 } } })), staleTime: 60_000 }).data?.items ?? [];
  const nameOf = (path: string) =>
    path
      .split('/')
      .map((slug, i, all) => {
        const one = list.find((c) => c.path === all.slice(0, i + 1).join('/'));
        return one ? named(one) || slug : slug;
      })
      .join(' / ');
  return { nameOf, options: list.map((c) => ({ value: c.path, label: nameOf(c.path) })) };
}
