import { api, ok } from '@patron/shared/api/client.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Failed, More, Page, Skeleton } from '../../frame/parts.tsx';
import { icons, usePrice } from '../../frame/reward.tsx';
import { useOrderWords } from './words.ts';

/** What one ordered, the newest first. */
export default function OrdersPage() {
  const { t } = useTranslation('reward');
  const { named, when } = useFormat();
  const { ordered } = usePrice();
  const words = useOrderWords();
  const list = useInfiniteQuery({
    queryKey: ['rewards', 'orders'],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => ok(api.GET('/portal/v1/reward-orders', { params: { query: { cursor: pageParam, limit: 20 } } })),
    getNextPageParam: (page) => page.next_cursor,
  });
  const items = list.data?.pages.flatMap((p) => p.items ?? []) ?? [];
  return (
    <Page title={t('orders.title')} back="/rewards">
      {list.isPending ? <Skeleton height={76} rows={4} />
        : list.isError && items.length === 0 ? <section className="blk"><Failed error={list.error} retry={() => void list.refetch()} /></section>
          : items.length === 0 ? <Blank drawing="coupon" title={t('orders.none')} text={t('orders.noneText')} action={<Link className="btn line" to="/rewards">{t('all')}</Link>} />
            : (
              <>
                <section className="blk list">
                  {items.map((o) => (
                    <Link key={o.id} className="row orderrow" to={`/rewards/orders/${o.id}`}>
                      {o.picture_url ? <img className="face" src={o.picture_url} alt="" loading="lazy" /> : <span className="face"><Icon name={icons[o.kind]} size={24} /></span>}
                      <span><span className="strong">{named(o)}</span><br /><span className="small">{when(o.made_at)} · {ordered(o)}</span></span>
                      <span className={`mark ${words.tone(o)}`}>{words.state(o)}</span>
                    </Link>
                  ))}
                </section>
                <More query={list} />
              </>
            )}
    </Page>
  );
}
