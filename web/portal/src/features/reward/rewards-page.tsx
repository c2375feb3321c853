import { api, ok } from '@patron/shared/api/client.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { keepPreviousData, useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { useAmount } from '../../frame/amount.tsx';
import { mainWallet, useMe } from '../../frame/me.ts';
import { Failed, More, Page, Skeleton } from '../../frame/parts.tsx';
import { useProgram } from '../../frame/program.ts';
import { RewardCard } from '../../frame/reward.tsx';

/** The mall: what one can have for points, by shelf, by price, and what one can afford. */
export default function RewardsPage() {
  const { t } = useTranslation('reward');
  const amount = useAmount();
  const wallet = mainWallet(useMe().wallets ?? [], useProgram()?.joining.currency);
  const [params, setParams] = useSearchParams();
  const category = params.get('shelf') ?? '';
  const tag = params.get('tag') ?? '';
  const sort = (params.get('sort') ?? 'new') as 'new' | 'points' | '-points';
  const affordable = params.get('mine') === 'yes';
  const wished = params.get('wished') === 'yes';
  const set = (key: string, value: string) => setParams((p) => {
    if (value) p.set(key, value); else p.delete(key);
    return p;
  }, { replace: true });
  const shelves = useQuery({ queryKey: ['rewards', 'shelves'], queryFn: () => ok(api.GET('/portal/v1/reward-shelves')) }).data;
  const list = useInfiniteQuery({
    queryKey: ['rewards', 'list', category, tag, sort, affordable, wished],
    initialPageParam: undefined as string | undefined,
    placeholderData: keepPreviousData,
    queryFn: ({ pageParam }) => ok(api.GET('/portal/v1/rewards', { params: { query: { cursor: pageParam, limit: 20, sort, affordable, wished, ...(category && { category }), ...(tag && { tag }) } } })),
    getNextPageParam: (page) => page.next_cursor,
  });
  const items = list.data?.pages.flatMap((p) => p.items ?? []) ?? [];
  const filtered = !!category || !!tag || affordable || wished;
  return (
    <Page title={t('title')} back="/">
      <div className="mallhead">
        {wallet && <p><span className="t2">{t('have')}</span> <span className="strong">{amount(wallet.available, wallet)}</span></p>}
        <Link className="btn text" to="/rewards/orders">{t('orders.title')}</Link>
      </div>
      <div className="chips" role="group" aria-label={t('filters')}>
        <button type="button" aria-pressed={affordable} onClick={() => set('mine', affordable ? '' : 'yes')}>{t('affordable')}</button>
        <button type="button" aria-pressed={wished} onClick={() => set('wished', wished ? '' : 'yes')}>{t('wishes')}</button>
        {(shelves?.categories ?? []).map((c) => <button key={c} type="button" aria-pressed={c === category} onClick={() => set('shelf', c === category ? '' : c)}>{t(`shelf.${c}`, { defaultValue: c })}</button>)}
        {(shelves?.tags ?? []).map((c) => <button key={c} type="button" aria-pressed={c === tag} onClick={() => set('tag', c === tag ? '' : c)}>{t(`tag.${c}`, { defaultValue: c })}</button>)}
      </div>
      <label className="sortby"><span className="t2">{t('sort.label')}</span>
        <select value={sort} onChange={(e) => set('sort', e.target.value === 'new' ? '' : e.target.value)}>
          {(['new', 'points', '-points'] as const).map((s) => <option key={s} value={s}>{t(`sort.${s}`)}</option>)}
        </select>
      </label>
      {list.isPending ? <Skeleton height={108} rows={4} />
        : list.isError && items.length === 0 ? <section className="blk"><Failed error={list.error} retry={() => void list.refetch()} /></section>
          : items.length === 0 ? <Blank drawing={filtered ? 'result' : 'coupon'} title={t(filtered ? 'none.filtered' : 'none.title')} text={t(filtered ? 'none.filteredText' : 'none.text')} action={filtered && <button type="button" className="btn line" onClick={() => setParams({}, { replace: true })}><Icon name="close" size={16} />{t('clear')}</button>} />
            : <><div className="shelf">{items.map((r) => <RewardCard key={r.id} reward={r} />)}</div><More query={list} /></>}
    </Page>
  );
}
