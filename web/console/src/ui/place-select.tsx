import { api, ok } from '@patron/shared/api/client.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Select, type SelectProps } from 'antd';
import { useDeferredValue, useState } from 'react';
import { useMerchants, useStores } from '../frame/lookups.ts';

type Rest = Omit<SelectProps<string | string[]>, 'options' | 'showSearch' | 'onSearch' | 'filterOption' | 'open'>;
/** `open` leaves closed ones out. */
type Props = Rest & { open?: 'only' };

const most = 50;

/** One store, or several: the first ones, and those that the server finds for what is typed. */
export function StoreSelect({ open: only, ...rest }: Props) {
  const { named } = useFormat();
  const { nameOf } = useStores();
  const [q, setQ] = useState('');
  const asked = useDeferredValue(q.trim());
  const state = only && 'open' as const;
  const found = useQuery({
    queryKey: ['stores', 'select', asked, state],
    queryFn: () => ok(api.GET('/v1/stores', { params: { query: { q: asked || undefined, state, limit: most } } })),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  return <Found {...rest} items={(found.data?.items ?? []).map((s) => ({ value: s.id, label: named(s) }))} nameOf={nameOf} onSearch={setQ} loading={found.isFetching} />;
}

/** One merchant, or several. */
export function MerchantSelect({ open: only, ...rest }: Props) {
  const { named } = useFormat();
  const { nameOf } = useMerchants();
  const [q, setQ] = useState('');
  const asked = useDeferredValue(q.trim());
  const state = only && 'open' as const;
  const found = useQuery({
    queryKey: ['merchants', 'select', asked, state],
    queryFn: () => ok(api.GET('/v1/merchants', { params: { query: { q: asked || undefined, state, limit: most } } })),
    placeholderData: keepPreviousData,
    staleTime: 60_000,
  });
  return <Found {...rest} items={(found.data?.items ?? []).map((m) => ({ value: m.id, label: named(m) }))} nameOf={nameOf} onSearch={setQ} loading={found.isFetching} />;
}

interface FoundProps extends Rest {
  items: { value: string; label: string }[];
  nameOf: (id: string | undefined) => string;
  onSearch: (q: string) => void;
}

/** What is chosen keeps its name, found or not. */
function Found({ items, nameOf, onSearch, value, ...rest }: FoundProps) {
  const chosen = (Array.isArray(value) ? value : value ? [value] : []).filter((id) => !items.some((i) => i.value === id));
  return (
    <Select<string | string[]>
      {...rest}
      value={value}
      showSearch={{ filterOption: false, onSearch }}
      options={[...items, ...chosen.map((id) => ({ value: id, label: nameOf(id) }))]}
    />
  );
}
