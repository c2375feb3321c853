import type { StaffMeView } from '@patron/shared/api/schema.d.ts';
import { asProblem, type ApiProblem } from '@patron/shared/api/problem.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Mark } from '@patron/shared/ui/brand.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Back } from './back.tsx';
import { fits } from './bounds.ts';
import { keepPay, lastPay, type Place, type Shop } from './device.ts';
import { Done } from './done.tsx';
import type { Finder } from './find.tsx';
import { HandOver } from './hand-over.tsx';
import { Menu } from './menu.tsx';
import { decimalsOf } from './money.ts';
import { changed, newOrder, paidByPoints, payable, quoteOf, takeOrder, totalOf, useSettled, type Member, type Order } from './order.ts';
import { OrderPane } from './order-pane.tsx';
import { PayPane } from './pay-pane.tsx';
import type { Entry } from './queue.ts';
import { Receipts } from './receipts.tsx';
import { heard, useTill } from './sender.ts';
import { Shift } from './shift.tsx';
import styles from './till.module.css';
import { UndoLast } from './undo.tsx';
import { Waiting } from './waiting.tsx';
import { WhoPane } from './who-pane.tsx';

export type Sheet = 'menu' | 'hand' | 'waiting' | 'receipts' | 'back' | 'undo' | 'shift';

interface Props {
  me: StaffMeView;
  place: Place;
  shop: Shop;
}

/** The desk: who, what, how much. By keyboard: who ↵, amount ↵ ↵. */
export function Desk({ me, place, shop }: Props) {
  const { t } = useTranslation('till');
  const { named } = useFormat();
  const { line, entries } = useTill();
  const decimals = decimalsOf(shop.currency);
  const [order, setOrder] = useState<Order>(newOrder);
  const [pay, setPay] = useState(lastPay);
  const [sheet, setSheet] = useState<Sheet>();
  const [tried, setTried] = useState<string>(); // as a coupon, and is none
  const [done, setDone] = useState<string>();
  const [problem, setProblem] = useState<ApiProblem>();
  const [busy, setBusy] = useState(false);
  const finder = useRef<Finder>(null);
  const amount = useRef<HTMLInputElement>(null);
  const takeButton = useRef<HTMLButtonElement>(null);
  const taking = useRef(false);

  const total = totalOf(order, decimals);
  const byPoints = paidByPoints(order, shop);
  const offline = line === 'offline';
  const wish = `${order.member?.id ?? ''}|${total ?? 0}|${order.items.map((i) => `${i.sku}×${i.quantity}`).join()}|${order.coupons.join()}`;
  const asked = useSettled(wish);
  const quoted = useQuery({
    queryKey: ['till', 'quote', asked],
    enabled: !offline && asked === wish && (total ?? 0) > 0 && !!(order.member?.id || order.coupons.length),
    retry: false,
    staleTime: 20_000,
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => quoteOf(order, total!, place, shop, signal),
  });
  const quote = (total ?? 0) > 0 && (order.member?.id || order.coupons.length) ? quoted.data : undefined;
  const known = asked === wish && !quoted.isPlaceholderData ? quote : undefined; // a quote of this purchase, not of the last one
  const off = (order.coupons.length ? quote : known)?.off ?? 0;
  const sure = order.coupons.length === 0 || (asked === wish && quoted.isSuccess && !quoted.isPlaceholderData); // nobody is told a price that is being worked out
  const payables = payable(order, shop, place, (total ?? 0) - off, known);
  const fit = payables.every((p) => fits(order.spend[p.wallet.currency] ?? 0, p.bounds));
  const may = total !== undefined && (total > 0 || order.byLines) && byPoints <= total - off && !(offline && byPoints + order.coupons.length > 0) && sure && fit;

  const edit = (part: Partial<Order>) => {
    setProblem(undefined);
    setOrder((o) => ({ ...o, ...part }));
  };
  const toAmount = () => requestAnimationFrame(() => amount.current?.focus());

  function found(member: Member | undefined) {
    edit({ member, spend: {}, coupons: [] });
    toAmount();
  }

  function another() {
    edit({ member: undefined, spend: {}, coupons: [] });
    requestAnimationFrame(() => finder.current?.focus());
  }

  function next() {
    setDone(undefined);
    setOrder(newOrder());
    requestAnimationFrame(() => finder.current?.focus());
  }

  async function take() {
    if (taking.current || !may || total === undefined) return; // a second tap takes nothing
    taking.current = true;
    setBusy(true);
    setProblem(undefined);
    try {
      keepPay(pay);
      const entry = await takeOrder({ order, total, off, plain: offline || known?.off === 0, place, shop, staff: me.name, pay });
      setDone(entry.document);
    } catch (error) {
      const refused = asProblem(error);
      heard(refused);
      setProblem(refused);
      if (refused.code === changed) void quoted.refetch();
    } finally {
      taking.current = false;
      setBusy(false);
    }
  }

  /** A card that is scanned while the amount has the focus is no amount. */
  function scan(code: string) {
    another();
    requestAnimationFrame(() => requestAnimationFrame(() => finder.current?.find(code)));
  }

  function useAll() {
    if (total === undefined || offline) return;
    const first = payables.find((p) => p.wallet.kind === 'points');
    if (first) edit({ spend: { ...order.spend, [first.wallet.currency]: order.spend[first.wallet.currency] === first.bounds.most ? 0 : first.bounds.most } });
  }

  /** Closes what was opened for a code that is no coupon. */
  function shut() {
    setSheet(undefined);
    setTried(undefined);
  }

  /** A code that is no coupon may stand for what was ordered or won. */
  function pickUp(code: string) {
    edit({ coupons: order.coupons.filter((c) => c !== code) });
    setTried(code);
    setSheet('hand');
  }

  const keys: Record<string, () => void> = { F2: another, F4: useAll, F8: () => setSheet('menu'), F9: () => void take() };
  const onKey = useRef<(event: globalThis.KeyboardEvent) => void>(undefined);
  useEffect(() => {
    onKey.current = (event) => {
      const act = keys[event.key];
      if (!act || sheet || (done && event.key !== 'F8')) return;
      event.preventDefault();
      act();
    };
  });
  useEffect(() => {
    const key = (event: globalThis.KeyboardEvent) => onKey.current?.(event);
    document.addEventListener('keydown', key);
    return () => document.removeEventListener('keydown', key);
  }, []);

  const enter = (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.nativeEvent.isComposing) return;
    event.preventDefault();
    if (may) takeButton.current?.focus();
  };

  const finished: Entry | undefined = done === undefined ? undefined : entries.find((e) => e.document === done);
  return (
    <div className={styles.till}>
      <header className={styles.bar}>
        <Mark size={28} />
        <h1 className={styles.shop}>{named(shop)}</h1>
        <span className={styles.where}>{t('where', { store: named({ name_en: place.store_en, name_zh: place.store_zh }), till: place.till })}</span>
        <span className={styles.grow} />
        <LineChip open={() => setSheet('waiting')} />
        <span className={styles.cashier}>{t('cashier', { name: me.name })}</span>
        <Clock />
        <button type="button" className={styles.more} onClick={() => setSheet('menu')}>{t('more')}<kbd>F8</kbd></button>
      </header>
      <Banner open={() => setSheet('waiting')} />
      <main className={styles.main}>
        <WhoPane member={finished?.answer ? after(order.member, finished.answer.balances) : order.member} finder={finder} offline={offline} locked={!!finished} found={found} nobody={toAmount} another={another} />
        {finished
          ? <Done entry={finished} shop={shop} place={place} member={order.member} next={next} undo={() => setSheet('undo')} />
          : (
            <>
              <OrderPane order={order} shop={shop} total={total} offline={offline} amount={amount} edit={edit} enter={enter} scan={scan} quote={quote} payables={payables} pickUp={me.permissions?.includes('points.write') ? pickUp : undefined} toPay={() => takeButton.current?.focus()} />
              <PayPane order={order} shop={shop} place={place} total={total} byPoints={byPoints} off={off} quote={known} offline={offline} pay={pay} setPay={setPay} may={may} busy={busy} problem={problem} button={takeButton} take={() => void take()} />
            </>
          )}
      </main>
      {sheet === 'menu' && <Menu me={me} open={setSheet} close={() => setSheet(undefined)} />}
      {sheet === 'hand' && <HandOver shop={shop} place={place} pay={pay} code={tried} close={shut} />}
      {sheet === 'waiting' && <Waiting shop={shop} close={() => setSheet(undefined)} />}
      {sheet === 'receipts' && <Receipts shop={shop} place={place} close={() => setSheet(undefined)} />}
      {sheet === 'back' && <Back shop={shop} place={place} staff={me.name} close={() => setSheet(undefined)} />}
      {sheet === 'undo' && <UndoLast shop={shop} place={place} staff={me.name} done={next} close={() => setSheet(undefined)} />}
      {sheet === 'shift' && <Shift me={me} shop={shop} place={place} close={() => setSheet(undefined)} />}
    </div>
  );
}

/** A member with what the answer says is left. */
const after = (member: Member | undefined, balances: Record<string, number>): Member | undefined =>
  member?.wallets ? { ...member, wallets: member.wallets.map((w) => ({ ...w, available: balances[w.currency] ?? w.available, expiring: [] })) } : member;

function Clock() {
  const { zone } = useFormat();
  const [at, setAt] = useState(() => new Date());
  useEffect(() => {
    const timer = setInterval(() => setAt(new Date()), 5000);
    return () => clearInterval(timer);
  }, []);
  return <time className={styles.clock}>{at.toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit', timeZone: zone })}</time>;
}

/** Whether there is a line, and how much waits for it. */
function LineChip({ open }: { open: () => void }) {
  const { t } = useTranslation('till');
  const { line, entries } = useTill();
  const count = entries.filter((e) => e.state === 'waiting' || e.state === 'aside').length;
  const well = line === 'online' && count === 0;
  return (
    <button type="button" className={well ? styles.chip : `${styles.chip} ${styles.warn}`} onClick={open}>
      <Icon name={well ? 'approve' : line === 'online' ? 'clock' : 'warning'} size={16} />
      {line === 'offline' ? t('line.offline') : count ? t('line.waiting', { count }) : t('line.online')}
    </button>
  );
}

/** Says clearly that the line is down, or that a sale needs a person. */
function Banner({ open }: { open: () => void }) {
  const { t, i18n } = useTranslation('till');
  const { line, entries } = useTill();
  const between = i18n.language === 'en' ? ' ' : ''; // a full stop in Chinese has its space in it
  const waiting = entries.filter((e) => e.state === 'waiting').length;
  const aside = entries.filter((e) => e.state === 'aside').length;
  const offline = line === 'offline';
  if (!offline && aside === 0) return <div role="status" className={styles.noBanner} />;
  return (
    <div role="status" className={offline ? styles.banner : `${styles.banner} ${styles.bad}`}>
      <Icon name="warning" />
      <span>
        {offline && t('banner.offline')}
        {offline && waiting > 0 && between + t('banner.waiting', { count: waiting })}
        {aside > 0 && between + t('banner.aside', { count: aside })}
      </span>
      {(waiting > 0 || aside > 0) && <button type="button" onClick={open}>{t('banner.see')}</button>}
    </div>
  );
}
