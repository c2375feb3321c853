import type { DrawPlayView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon, type IconName } from '@patron/shared/ui/icon.tsx';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Failed, More, Page, Skeleton } from '../../frame/parts.tsx';
import { drawsQuery, playsQuery, usePrizeName } from './draw.ts';
import './play.css';

const faces: Record<'wheel' | 'scratch' | 'box', IconName> = { wheel: 'refresh', scratch: 'coupon', box: 'gift' };

/** The draws that one can play, and what one has won. */
export default function DrawsPage() {
  const { t } = useTranslation('draw');
  const format = useFormat();
  const list = useQuery(drawsQuery);
  const items = list.data?.items ?? [];
  return (
    <Page title={t('title')} back="/">
      {list.isPending ? <Skeleton height={72} rows={2} />
        : list.isError ? <section className="blk"><Failed error={list.error} retry={() => void list.refetch()} /></section>
          : items.length === 0 ? <Blank drawing="coupon" title={t('none')} text={t('noneText')} />
            : (
              <section className="blk list">
                {items.map((d) => (
                  <Link key={d.id} className="row link" to={`/draws/${d.code}`}>
                    <Icon name={faces[d.look]} size={24} />
                    <span>{d.name}</span>
                    <span className="small">{d.free_left > 0 ? t('free', { count: d.free_left }) : d.plays_left === 0 ? t('noneLeft') : t('costs', { price: format.points(d.price) })}</span>
                    <Icon name="right" size={16} />
                  </Link>
                ))}
              </section>
            )}
      <Won />
    </Page>
  );
}

/** One's own plays, with the codes of what is still to be picked up. */
function Won() {
  const { t } = useTranslation('draw');
  const list = useInfiniteQuery(playsQuery);
  const items = list.data?.pages.flatMap((p) => p.items ?? []) ?? [];
  if (items.length === 0) return null;
  return (
    <>
      <h2 className="head">{t('mine')}</h2>
      <section className="blk list">{items.map((p) => <Play key={p.id} play={p} />)}</section>
      <More query={list} />
    </>
  );
}

function Play({ play: p }: { play: DrawPlayView }) {
  const { t } = useTranslation('draw');
  const format = useFormat();
  const name = usePrizeName();
  return (
    <div className="row">
      <span>
        <span className={p.won ? 'strong' : 't2'}>{name(p)}</span>
        <span className="small" style={{ display: 'block' }}>{format.named({ name_en: p.draw_name_en, name_zh: p.draw_name_zh })} · {format.when(p.at)}</span>
        {p.pick_up_code && <PickUp play={p} />}
        {p.coupon_code && <span className="small" style={{ display: 'block' }}>{t('coupon', { code: p.coupon_code })}</span>}
      </span>
      <Link to={`/draws/${p.draw_code}/check/${p.epoch}`} state={{ n: p.line.n }} aria-label={t('checkOf', { n: p.line.n })}>{t('check.short')}</Link>
    </div>
  );
}

/** The code by which a thing is handed out, until it was. */
export function PickUp({ play: p }: { play: DrawPlayView }) {
  const { t } = useTranslation('draw');
  const format = useFormat();
  if (p.handed_out_at) return <span className="small" style={{ display: 'block' }}>{t('handed', { when: format.when(p.handed_out_at) })}</span>;
  return <span style={{ display: 'block' }}><span className="small">{t(p.owed ? 'owed' : 'pickUp')}</span><br /><span className="pickup">{p.pick_up_code}</span></span>;
}
