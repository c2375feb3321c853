import { useMemo } from 'react';
import { useSearchParams } from 'react-router';

/**
 * Filters that live in the URL, so that a list can be linked, kept and gone back to.
 *
 *     const { filters, set, filtered, clear } = useFilters(['q', 'tag']);
 *     set({ tag: '熟客' })     // '' or undefined takes one away
 *
 * A change goes back to the first page. Pass `{ replace: true }` while somebody types.
 */
export function useFilters<K extends string>(names: readonly K[]) {
  const [params, setParams] = useSearchParams();
  const key = names.map((n) => params.get(n) ?? '').join('\0');
  // The names are written down where the hook is called: they do not change.
  // eslint-disable-next-line react-hooks/exhaustive-deps
  const filters = useMemo(() => Object.fromEntries(names.flatMap((n) => params.get(n) ? [[n, params.get(n)!]] : [])) as Partial<Record<K, string>>, [key]);

  function set(patch: Partial<Record<K, string | undefined>>, options?: { replace?: boolean }) {
    setParams((now) => {
      const next = new URLSearchParams(now);
      for (const [name, value] of Object.entries(patch) as [K, string | undefined][]) {
        if (value) next.set(name, value);
        else next.delete(name);
      }
      next.delete('cursor');
      return next;
    }, options);
  }

  const clear = () => set(Object.fromEntries(names.map((n) => [n, undefined])) as Partial<Record<K, undefined>>);
  return { filters, set, clear, filtered: Object.keys(filters).length > 0 };
}
