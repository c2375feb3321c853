import { api, ok } from '@patron/shared/api/client.ts';
import { asProblem } from '@patron/shared/api/problem.ts';
import type { DrawPlayView, RewardOrderView } from '@patron/shared/api/schema.d.ts';
import { pointsFigure, pointsUnit } from '@patron/shared/format/format.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useRef, useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import type { Place, Shop } from './device.ts';
import { Dialog, Trouble } from './dialog.tsx';
import { payKinds } from './money.ts';
import { heard, newKey } from './sender.ts';
import styles from './till.module.css';

const Camera = lazy(() => import('./camera.tsx'));

interface Props {
  shop: Shop;
  place: Place;
  pay: string;
  /** A code that was tried elsewhere. */
  code?: string | undefined;
  close: () => void;
}

const patience = 8000;

/** What a pick-up code stands for: an order of rewards, or a prize of a draw. */
type Found = { order: RewardOrderView; prize?: undefined } | { prize: DrawPlayView; order?: undefined };

/** Hands over what was ordered or won: scan the code, see what it is and whose, give it. What was given by mistake is taken back. */
export function HandOver({ shop, place, pay, code: first = '', close }: Props) {
  const { t } = useTranslation('till');
  const { named, when } = useFormat();
  const [code, setCode] = useState(first);
  const [found, setFound] = useState<Found>();
  const [kind, setKind] = useState(pay);
  const [done, setDone] = useState<'given' | 'taken'>();
  const [busy, setBusy] = useState(false);
  const [problem, setProblem] = useState<string>();
  const [camera, setCamera] = useState(false);
  const key = useRef(newKey()); // of the hand-over of what is shown: pressed again after a lost answer, it is the same one

  async function run(act: () => Promise<void>) {
    if (busy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      await act();
    } catch (error) {
      const refused = asProblem(error);
      heard(refused);
      setProblem(refused.status === 0 ? t('hand.offline') : refused.message);
    } finally {
      setBusy(false);
    }
  }

  const look = (typed: string) => run(async () => {
    const word = typed.trim();
    setFound(undefined);
    setDone(undefined);
    key.current = newKey();
    const hit = await find(word, place);
    if (typeof hit === 'object') setFound(hit);
    else setProblem(t(hit));
  });

  const give = () => run(async () => {
    if (!found) return;
    if (found.prize) setFound({ prize: await ok(api.POST('/v1/draw-prizes/{code}/hand-out', { params: { path: { code: found.prize.pick_up_code ?? code }, header: { 'Idempotency-Key': key.current } }, signal: AbortSignal.timeout(patience) })) });
    else {
      const { money, state } = found.order;
      const body = { code, store: place.store, ...(state === 'held' && { payment: { kind, amount: money.amount, currency: money.currency } }) };
      setFound({ order: (await ok(api.POST('/v1/reward-orders/pickup', { body, params: { header: { 'Idempotency-Key': key.current } }, signal: AbortSignal.timeout(patience) }))).order });
    }
    key.current = newKey();
    setDone('given');
  });

  const takeBack = (order: RewardOrderView) => run(async () => {
    const out = await ok(api.POST('/v1/reward-orders/{id}/return', { body: { reason: t('hand.mistake'), restock: true }, params: { path: { id: order.id }, header: { 'Idempotency-Key': key.current } }, signal: AbortSignal.timeout(patience) }));
    setFound({ order: out.order });
    setDone('taken');
  });

  const another = () => {
    setCode('');
    setFound(undefined);
    setDone(undefined);
    setProblem(undefined);
    requestAnimationFrame(() => document.getElementById('till-pickup')?.focus());
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (code.trim()) void look(code);
  };
  const what = found?.order ?? (found?.prize && { name_en: found.prize.prize_name_en, name_zh: found.prize.prize_name_zh });
  return (
    <Dialog title={t('hand.title')} close={close}>
      {!done && (
        <form className={styles.couponField} onSubmit={submit}>
          <label className={styles.label} htmlFor="till-pickup">{t('hand.code')}</label>
          <input id="till-pickup" value={code} autoFocus maxLength={60} autoComplete="off" autoCapitalize="characters" spellCheck={false} placeholder={t('hand.hint')}
            onChange={(e) => {
              setCode(e.target.value);
              setFound(undefined);
              setProblem(undefined);
            }}
          />
          <button type="button" className={styles.button} aria-label={t('camera.open')} onClick={() => setCamera(true)}><Icon name="scan" size={22} /></button>
          <button type="submit" className={styles.button} disabled={busy || !code.trim()}>{t('hand.look')}</button>
        </form>
      )}
      {found && what && (
        <>
          <div className={styles.pair} style={{ marginTop: 16 }}><b>{named(what)}</b>{found.order && <Price order={found.order} shop={shop} />}</div>
          <Whose member={(found.order ?? found.prize).member_id} />
        </>
      )}
      {found?.order && !done && found.order.state === 'held' && <Collect order={found.order} kind={kind} set={setKind} />}
      {problem && <Trouble>{problem}</Trouble>}
      {found && !done && (found.prize?.handed_out_at ? <Trouble>{t('hand.prizeGone', { when: when(found.prize.handed_out_at) })}</Trouble> : (
        <button type="button" className={styles.primary} autoFocus disabled={busy} onClick={() => void give()}>{t('hand.act')}</button>
      ))}
      {done && (
        <>
          <p role="status" className={styles.note}>{t(`hand.${done}`)}</p>
          {done === 'taken' && found?.order && found.order.money.amount > 0 && <Refund order={found.order} />}
          <div className={styles.acts}>
            <button type="button" className={styles.primary} autoFocus onClick={another}>{t('hand.another')}</button>
            {done === 'given' && found?.order && <button type="button" className={styles.button} disabled={busy} onClick={() => void takeBack(found.order)}>{t('hand.undo')}</button>}
          </div>
          {done === 'given' && found?.order && <p className={styles.note}>{t('hand.undoText')}</p>}
        </>
      )}
      {camera && (
        <Suspense fallback={null}>
          <Camera close={() => setCamera(false)} read={(read) => {
            setCamera(false);
            setCode(read);
            void look(read);
          }} />
        </Suspense>
      )}
    </Dialog>
  );
}

/** What a code stands for; else what to tell the cashier of it. A voucher is no pick-up code, and the other way. */
async function find(code: string, place: Place): Promise<Found | 'hand.voucher' | 'hand.member' | 'hand.none'> {
  const signal = AbortSignal.timeout(patience);
  if (/^(qr:|mem_|no:)/i.test(code)) return 'hand.member';
  const unknown = (error: unknown): undefined => {
    const refused = asProblem(error);
    if (refused.status !== 404 && refused.status !== 422) throw refused;
  };
  const order = await ok(api.POST('/v1/reward-orders/pickup', { body: { code, store: place.store }, params: { query: { dry_run: true }, header: { 'Idempotency-Key': newKey() } }, signal })).catch((error: unknown) => {
    if (asProblem(error).code !== 'reward.pickup') throw asProblem(error); // it is one, and cannot be handed over
    return undefined;
  });
  if (order) return { order: order.order };
  const prize = await ok(api.GET('/v1/draw-prizes/{code}', { params: { path: { code } }, signal })).catch(unknown);
  if (prize) return { prize };
  const voucher = await ok(api.GET('/v1/vouchers/{code}', { params: { path: { code } }, signal })).catch(unknown);
  return voucher ? 'hand.voucher' : 'hand.none';
}

/** Whose it is, by name: a cashier calls it out. */
function Whose({ member }: { member: string }) {
  const { t } = useTranslation('till');
  const one = useQuery({ queryKey: ['till', 'whose', member], retry: false, queryFn: ({ signal }) => ok(api.GET('/v1/members/{ref}', { params: { path: { ref: member } }, signal })) }).data;
  return <p className={styles.second}>{one ? [one.name || t('who.nameless'), one.phone, one.number].filter(Boolean).join(' · ') : ' '}</p>;
}

/** What the order costs: points, and money where some is to be paid. */
function Price({ order, shop }: { order: RewardOrderView; shop: Shop }) {
  const { language, money } = useFormat();
  const decimals = shop.currencies.find((c) => c.code === order.currency)?.decimals ?? 0;
  const points = `${pointsFigure(order.points, decimals)} ${pointsUnit(order.points, language, decimals)}`;
  return <span className={styles.num}>{order.money.amount > 0 ? `${points} + ${money(order.money.amount, order.money.currency, { trim: true })}` : points}</span>;
}

/** The money that is still due, and how it is paid. */
function Collect({ order, kind, set }: { order: RewardOrderView; kind: string; set: (kind: string) => void }) {
  const { t } = useTranslation('till');
  const { money } = useFormat();
  return (
    <>
      <p className={styles.label} style={{ marginTop: 16 }}>{t('hand.due', { money: money(order.money.amount, order.money.currency) })}</p>
      <div className={styles.kinds} role="radiogroup" aria-label={t('pay.kind')}>
        {payKinds.map((k) => <label key={k}><input type="radio" name="till-hand-pay" checked={kind === k} onChange={() => set(k)} /><span>{t(`pay.kinds.${k}`)}</span></label>)}
      </div>
    </>
  );
}

function Refund({ order }: { order: RewardOrderView }) {
  const { t } = useTranslation('till');
  const { money } = useFormat();
  return <p className={styles.why}><Icon name="warning" size={18} /><span>{t('hand.refund', { money: money(order.money.amount, order.money.currency) })}</span></p>;
}
