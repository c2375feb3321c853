import { useInfiniteQuery, type QueryKey } from '@tanstack/react-query';
import { Button, Skeleton } from 'antd';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useAfter } from '../../ui/keyset-table.tsx';
import { ErrorState } from '../../ui/states.tsx';

interface Page<T> {
  items: T[] | null;
  next_cursor?: string;
}

/** A list that grows at its end: what was read stays. */
export function useMore<T>(queryKey: QueryKey, fetch: (cursor: string | undefined) => Promise<Page<T>>) {
  return useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) => fetch(pageParam),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor,
    select: (data) => data.pages.flatMap((p) => p.items ?? []),
  });
}

/** The states around such a list, and the button that reads on. */
export function More<T>({ list, empty, children }: { list: ReturnType<typeof useMore<T>>; empty: string; children: (rows: T[]) => ReactNode }) {
  const { t } = useTranslation('member');
  const slow = useAfter(list.isPending, 300);
  if (list.error && !list.data) return <ErrorState error={list.error} retry={() => void list.refetch()} />;
  if (!list.data) return slow ? <Skeleton active title={false} paragraph={{ rows: 6, width: '100%' }} /> : null;
  return (
    <>
      {list.data.length === 0 && !list.hasNextPage ? <p className="quiet" style={{ padding: '16px 0' }}>{empty}</p> : children(list.data)}
      {list.hasNextPage && <p style={{ marginTop: 12 }}><Button size="small" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{t('more')}</Button></p>}
    </>
  );
}
