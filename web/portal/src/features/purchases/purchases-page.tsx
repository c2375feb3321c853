import { api, ok } from '@patron/shared/api/client.ts';
import type { PortalPurchase } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Failed, More, Page, Skeleton } from '../../frame/parts.tsx';
import { State } from './state.tsx';

/** What was bought and what came back, newest first. */
export default function PurchasesPage() {
  const { t } = useTranslation('purchases');
  const { language } = useFormat();
  const list = useInfiniteQuery({
    queryKey: ['purchases', language],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => ok(api.GET('/portal/v1/purchases', { params: { query: { limit: 20, cursor: pageParam } } })),
    getNextPageParam: (page) => page.next_cursor,
  });
  const items = list.data?.pages.flatMap((p) => p.items ?? []) ?? [];
  return (
    <Page title={t('title')}>
      {list.isPending ? <Skeleton height={92} rows={5} />
        : list.isError && items.length === 0 ? <section className="blk"><Failed error={list.error} retry={() => void list.refetch()} /></section>
        : items.length === 0 ? <Blank drawing="result" title={t('none')} text={t('noneText')} /> : (
          <>
            <ul className="blk list" style={{ marginTop: 0 }}>{items.map((p) => <li key={p.id}><Row purchase={p} /></li>)}</ul>
            <More query={list} />
          </>
        )}
    </Page>
  );
}

function Row({ purchase: p }: { purchase: PortalPurchase }) {
  const { t } = useTranslation('purchases');
  const format = useFormat();
  const back = p.kind === 'return';
  const names = (p.lines ?? []).map((l) => l.name ?? l.sku ?? '').filter(Boolean);
  return (
    <Link className="row" to={`/purchases/${p.id}`}>
      <span>{back ? t('returned', { store: p.store ?? '' }) : (p.store ?? t('sale'))}</span>
      <span className="num strong">{format.money(back ? -p.total : p.total, p.currency)}</span>
      {names.length > 0 && <span className="small wide">{names.slice(0, 3).join(t('comma'))}{names.length > 3 && t('andMore', { count: names.length })}</span>}
      <span className="small">{format.when(p.at)}</span>
      <span className="small num"><State purchase={p} /></span>
    </Link>
  );
}
