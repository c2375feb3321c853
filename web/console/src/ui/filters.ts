import { useSearchParams } from 'react-router';

/** The name under which a table keeps its place in the address. */
export const cursorParam = 'cursor';

/**
 * Filters that live in the address, so that a link shows the same rows and Back takes a filter off.
 * A changed filter begins at the first page.
 */
export function useFilters<K extends string>(names: readonly K[]) {
  const [params, setParams] = useSearchParams();
  const values: Partial<Record<K, string>> = {};
  for (const name of names) {
    const value = params.get(name);
    if (value) values[name] = value;
  }
  const set = (patch: Partial<Record<K, string | undefined>>) =>
    setParams((now) => {
      const next = new URLSearchParams(now);
      next.delete(cursorParam);
      for (const [name, value] of Object.entries(patch) as [K, string | undefined][]) {
        if (value) next.set(name, value);
        else next.delete(name);
      }
      return next;
    });
  return {
    values,
    set,
    clear: () => set(Object.fromEntries(names.map((name) => [name, undefined])) as Partial<Record<K, undefined>>),
    active: Object.keys(values).length > 0,
  };
}
