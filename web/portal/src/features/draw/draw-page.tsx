import { api, ok } from '@patron/shared/api/client.ts';
import type { DrawOwnDraw, DrawPlayed } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { Button, Failed, Page, Refusal, Skeleton } from '../../frame/parts.tsx';
import { newNonce } from './check.ts';
import { drawQuery, useOdds, usePrizeName } from './draw.ts';
import { PickUp } from './draws-page.tsx';
import { Wheel } from './wheel.tsx';
import './play.css';

/** One draw: the game, the odds in force, and how each outcome can be checked. */
export default function DrawPage() {
  const { id = '' } = useParams();
  const { t } = useTranslation('draw');
  const one = useQuery(drawQuery(id));
  return (
    <Page title={one.data?.name ?? t('title')} back="/draws">
      {one.data ? <Game key={one.data.id} draw={one.data} /> : one.isError ? <section className="blk"><Failed error={one.error} retry={() => void one.refetch()} /></section> : <Skeleton height={300} />}
    </Page>
  );
}

function Game({ draw: d }: { draw: DrawOwnDraw }) {
  const { t } = useTranslation('draw');
  const format = useFormat();
  const [last, setLast] = useState<DrawPlayed>();
  const [nonce, setNonce] = useState(newNonce);
  const play = useWrite(
    (body: { nonce: string; pay: number }, key) => ok(api.POST('/portal/v1/draws/{id}/plays', { body, params: { path: { id: d.id }, header: { 'Idempotency-Key': key } } })),
    { invalidates: [['draws'], ['me'], ['history']], onSuccess: (out) => { setLast(out); setNonce(newNonce()); } },
  );
  const over = d.state !== 'live' || d.plays_left === 0;
  return (
    <>
      {d.text && <p className="lead" style={{ marginTop: 8 }}>{d.text}</p>}
      <section className="blk stack">
        {d.look === 'wheel' ? <Wheel prizes={d.prizes ?? []} nothing={d.nothing_odds} played={last} /> : <Lid look={d.look} played={last} />}
        <div role="status" style={{ textAlign: 'center' }}>{last && <Result played={last} />}</div>
        <Refusal error={play.error} />
        <Button look="filled" className="wide" disabled={over} busy={play.isPending} onClick={() => play.mutate({ nonce, pay: d.price })}>
          {over ? t(d.state === 'live' ? 'noneLeft' : 'closed') : d.price > 0 ? t('playFor', { price: format.points(d.price) }) : t('playFree')}
        </Button>
        <p className="small" style={{ textAlign: 'center' }}>{[d.free_left > 0 && t('free', { count: d.free_left }), d.plays_left !== undefined && t('left', { count: d.plays_left }), d.guarantee_in && d.guarantee_prize && t('guarantee', { count: d.guarantee_in, prize: d.guarantee_prize })].filter(Boolean).join(' · ')}</p>
      </section>
      <h2 className="head">{t('odds.title')}</h2>
      <section className="blk"><Odds draw={d} /></section>
      <h2 className="head">{t('fair.title')}</h2>
      <section className="blk stack tight">
        <p className="small">{t('fair.text')}</p>
        {d.hash && <><p className="small">{t('fair.hash', { epoch: d.epoch })}</p><p className="mono">{d.hash}</p></>}
        {d.mark && <p className="small">{t('fair.mark')} <span className="mono">{d.mark} · {d.next}</span></p>}
        <p className="small">{t('fair.nonce')} <span className="mono">{nonce}</span></p>
        <Link className="row link" to={`/draws/${d.code}/check`}><Icon name="shield" /><span>{t('check.title')}</span><span /><Icon name="right" size={16} /></Link>
      </section>
    </>
  );
}

function Result({ played: p }: { played: DrawPlayed }) {
  const { t } = useTranslation('draw');
  const name = usePrizeName();
  if (!p.won) return <p className="t2">{t('lost')}</p>;
  return <><p className="strong">{t('won', { prize: name(p) })}</p>{p.pick_up_code && <PickUp play={p} />}{p.guaranteed && <p className="small">{t('sure')}</p>}</>;
}

/** A scratch card or a box: covered until it is played. */
function Lid({ look, played }: { look: 'scratch' | 'box'; played: DrawPlayed | undefined }) {
  const { t } = useTranslation('draw');
  const name = usePrizeName();
  return (
    <div className={played ? (played.won ? 'lid open' : 'lid none') : 'lid'} aria-hidden>
      {played ? <span key={played.id} className="strong">{name(played)}</span> : <span className="t2"><Icon name={look === 'box' ? 'gift' : 'coupon'} size={40} /><br />{t(`covered.${look}`)}</span>}
    </div>
  );
}

/** What can be won and how likely that is now; what has run out stays, crossed out. */
function Odds({ draw: d }: { draw: DrawOwnDraw }) {
  const { t } = useTranslation('draw');
  const format = useFormat();
  const odds = useOdds();
  return (
    <>
      <table className="odds">
        <thead><tr><th scope="col">{t('odds.prize')}</th><th scope="col">{t('odds.odds')}</th></tr></thead>
        <tbody>
          {(d.prizes ?? []).map((p) => <tr key={p.code}><td className={p.gone ? 'gone' : undefined}>{p.name}</td><td>{p.gone ? t('odds.gone') : odds(p.odds)}</td></tr>)}
          <tr><td>{t('nothing')}</td><td>{odds(d.nothing_odds)}</td></tr>
        </tbody>
      </table>
      <p className="small">{t('odds.since', { number: d.table, when: format.when(d.table_since) })}</p>
    </>
  );
}
