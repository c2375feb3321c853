import { api, ok } from '@patron/shared/api/client.ts';
import type { OfferOwnBoard, OfferRankView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { TierMark } from '@patron/shared/standing/tier-mark.tsx';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { useInfiniteQuery, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { CheckIn } from '../../frame/check-in.tsx';
import { Deal, offersQuery, open } from '../../frame/deal.tsx';
import { Button, Failed, More, Page, Refusal, Skeleton } from '../../frame/parts.tsx';
import { useProgram } from '../../frame/program.ts';

/** All offers, the badges one has won, and the leaderboards. */
export default function OffersPage() {
  const { t } = useTranslation('offer');
  const list = useInfiniteQuery(offersQuery);
  const items = list.data?.pages.flatMap((p) => p.items ?? []) ?? [];
  const now = items.filter(open);
  const past = items.filter((o) => !open(o));
  const seen = useRef(new Set<string>());
  useEffect(() => {
    for (const o of items) {
      if (o.state !== 'received' || !o.id || seen.current.has(o.id)) continue;
      seen.current.add(o.id);
      void ok(api.POST('/portal/v1/offers/{id}/view', { params: { path: { id: o.id } } })).catch(() => undefined); // that it was seen is for the shop's figures alone
    }
  });
  return (
    <Page title={t('title')} back="/">
      <CheckIn />
      {list.isPending ? <Skeleton height={108} rows={4} />
        : list.isError && items.length === 0 ? <section className="blk"><Failed error={list.error} retry={() => void list.refetch()} /></section>
          : items.length === 0 ? <Blank drawing="coupon" title={t('none')} text={t('noneText')} />
            : (
              <>
                {now.length > 0 && <section className="blk list">{now.map((o) => <Deal key={o.id ?? o.offer_id} offer={o} />)}</section>}
                {past.length > 0 && <><h2 className="head">{t('past')}</h2><section className="blk list">{past.map((o) => <Deal key={o.id ?? o.offer_id} offer={o} />)}</section></>}
                <More query={list} />
              </>
            )}
      <Badges />
      <Boards />
    </Page>
  );
}

function Badges() {
  const { t } = useTranslation('offer');
  const { named } = useFormat();
  const badges = useQuery({ queryKey: ['badges'], queryFn: () => ok(api.GET('/portal/v1/badges')) }).data?.items ?? [];
  if (badges.length === 0) return null;
  return (
    <>
      <h2 className="head">{t('badges')}</h2>
      <ul className="blk badges">{badges.map((b) => <li key={b.id}><TierMark color={b.color} icon={b.icon} or="star" size={48} /><span>{named(b)}{b.times > 1 && ` × ${b.times}`}</span></li>)}</ul>
    </>
  );
}

function Boards() {
  const boards = useQuery({ queryKey: ['boards'], queryFn: () => ok(api.GET('/portal/v1/leaderboards')) }).data?.items ?? [];
  return boards.map((b) => <Board key={b.id} board={b} />);
}

function Board({ board: b }: { board: OfferOwnBoard }) {
  const { t } = useTranslation('offer');
  const format = useFormat();
  const money = useProgram()?.joining.money;
  const client = useQueryClient();
  const show = useMutation({
    mutationFn: (visible: boolean) => ok(api.PUT('/portal/v1/leaderboards/visibility', { body: { visible } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['boards'] }),
  });
  const score = (n: number) => (b.metric === 'spend' && money ? format.money(n, money, { trim: true }) : b.metric === 'visits' ? t('visits', { count: n }) : format.count(n));
  const top = (b.top ?? []).slice(0, 10);
  const row = (r: OfferRankView) => <li key={r.place} className={r.me ? 'me' : undefined}><span>{r.place}</span><span>{r.me ? t('me') : r.member}</span><span className="num">{score(r.score)}</span></li>;
  return (
    <>
      <div className="headrow"><h2>{b.name}</h2><span className="small">{t('ends', { day: format.deadline(b.until) })}</span></div>
      <section className="blk">
        {top.length === 0 ? <p className="t2">{t('nobody')}</p> : <ol className="ranks">{top.map(row)}{b.visible && b.own.place > top.length && row({ ...b.own, me: true })}</ol>}
        <Refusal error={show.error} />
        <Button look="text" busy={show.isPending} onClick={() => show.mutate(!b.visible)}>{t(b.visible ? 'hide' : 'show')}</Button>
      </section>
    </>
  );
}
