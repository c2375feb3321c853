import { api, ok } from '@patron/shared/api/client.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Select, type SelectProps } from 'antd';
import { useDeferredValue, useState } from 'react';
import { useStores } from '../../frame/lookups.ts';

/*
 * Rules name things by their codes, so that they can stand in a file: these pick by name and give codes.
 */

type Rest = Omit<SelectProps<string | string[]>, 'options' | 'showSearch' | 'onSearch' | 'filterOption' | 'value' | 'onChange' | 'mode'>;
interface Many extends Rest {
  label: string;
  value: string[] | null | undefined;
  onChange: (value: string[]) => void;
}

const common = { mode: 'multiple' as const, popupMatchSelectWidth: false, maxTagCount: 6, style: { minWidth: 180, maxWidth: '100%' } };

/** Stores, by code. */
export function StoresPicker({ label, value, onChange, ...rest }: Many) {
  const { named } = useFormat();
  const { list } = useStores();
  const [q, setQ] = useState('');
  const asked = useDeferredValue(q.trim());
  const found = useQuery({
    queryKey: ['stores', 'codes', asked],
    queryFn: () => ok(api.GET('/v1/stores', { params: { query: { q: asked || undefined, limit: 50 } } })),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  const known = new Map([...list, ...(found.data?.items ?? [])].map((s) => [s.code, named(s)]));
  const shown = new Set([...(found.data?.items ?? []).map((s) => s.code), ...(value ?? [])]);
  return <Select {...common} {...rest} aria-label={label} value={value ?? []} onChange={(v) => onChange(v as string[])} showSearch={{ filterOption: false, onSearch: setQ }} options={[...shown].map((code) => ({ value: code, label: known.get(code) ?? code }))} />;
}

/** The categories, and what a path is called: 茶 / 绿茶. */
export function useCategoryNames() {
  const { named } = useFormat();
  const list = useQuery({ queryKey: ['categories'], queryFn: () => ok(api.GET('/v1/categories', { params: { query: { limit: 200 } } })), staleTime: 60_000 }).data?.items ?? [];
  const nameOf = (path: string) =>
    path
      .split('/')
      .map((slug, i, all) => {
        const one = list.find((c) => c.path === all.slice(0, i + 1).join('/'));
        return (one && named(one)) || slug;
      })
      .join(' / ');
  return { nameOf, options: list.map((c) => ({ value: c.path, label: nameOf(c.path) })) };
}

/** Categories, by path. */
export function CategoriesPicker({ label, value, onChange, ...rest }: Many) {
  const { options } = useCategoryNames();
  return <Select {...common} {...rest} aria-label={label} value={value ?? []} onChange={(v) => onChange(v as string[])} showSearch={{ optionFilterProp: 'label' }} options={options} />;
}

/** Finds products in the catalogue while one types. */
export function useProducts(chosen: string[]) {
  const { named } = useFormat();
  const [q, setQ] = useState('');
  const asked = useDeferredValue(q.trim());
  const found = useQuery({
    queryKey: ['products', 'pick', asked],
    queryFn: () => ok(api.GET('/v1/products', { params: { query: { q: asked || undefined, limit: 50 } } })),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  }).data?.items ?? [];
  const name = new Map(found.map((p) => [p.sku, named(p) || p.sku]));
  const skus = [...new Set([...found.map((p) => p.sku), ...chosen])];
  return { found, onSearch: setQ, options: skus.map((sku) => ({ value: sku, label: name.has(sku) && name.get(sku) !== sku ? `${name.get(sku)} ${sku}` : sku })) };
}

/** Products, by SKU. */
export function ProductsPicker({ label, value, onChange, ...rest }: Many) {
  const { options, onSearch } = useProducts(value ?? []);
  return <Select {...common} {...rest} aria-label={label} value={value ?? []} onChange={(v) => onChange(v as string[])} showSearch={{ filterOption: false, onSearch }} options={options} />;
}

/** Texts that are typed: brands, channels. */
export function TextsPicker({ label, value, onChange, ...rest }: Many) {
  return <Select {...common} {...rest} mode="tags" open={false} suffixIcon={null} tokenSeparators={[',', '，', '、']} aria-label={label} value={value ?? []} onChange={(v) => onChange(v as string[])} />;
}
