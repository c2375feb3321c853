import { api, ok } from '@patron/shared/api/client.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { pointsFigure, pointsUnit } from '@patron/shared/format/format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useRef, useState, type KeyboardEvent, type RefObject } from 'react';
import { useTranslation } from 'react-i18next';
import type { TillCheckoutView } from '@patron/shared/api/schema.d.ts';
import { Coupons } from './coupons.tsx';
import type { Shop } from './device.ts';
import { decimalsOf } from './money.ts';
import type { Item, Order, payable } from './order.ts';
import { fits, takes } from './bounds.ts';
import { minorOf, pointsFor, refOf, scanned, worthOf } from './queue.ts';
import styles from './till.module.css';

interface Props {
  order: Order;
  shop: Shop;
  total: number | undefined;
  offline: boolean;
  amount: RefObject<HTMLInputElement | null>;
  edit: (part: Partial<Order>) => void;
  enter: (event: KeyboardEvent) => void;
  scan: (code: string) => void;
  quote: TillCheckoutView | undefined;
  payables: ReturnType<typeof payable>;
  toPay: () => void;
  pickUp: ((code: string) => void) | undefined;
}

const digits = ['1', '2', '3', '4', '5', '6', '7', '8', '9', '.', '0', '⌫'];

/** What is bought: an amount, or lines; and the points that pay for some of it. */
export function OrderPane({ order, shop, total, offline, amount, edit, enter, scan, quote, payables, toPay, pickUp }: Props) {
  const { t } = useTranslation('till');
  const times = useRef<number[]>([]);
  const [keypad] = useState(() => window.matchMedia('(min-width: 900px)').matches);
  const bad = !order.byLines && order.amount.trim() !== '' && total === undefined;

  function key(event: KeyboardEvent<HTMLInputElement>) {
    if (event.key.length === 1) times.current = [...times.current.slice(-40), event.timeStamp];
    const text = event.currentTarget.value;
    if (event.key === 'Enter' && (refOf(text) || scanned(text, times.current))) {
      event.preventDefault();
      edit({ amount: '' });
      scan(text);
      return;
    }
    enter(event);
  }

  const press = (sign: string) => {
    edit({ amount: sign === '⌫' ? order.amount.slice(0, -1) : order.amount + sign });
    amount.current?.focus();
  };

  return (
    <section className={styles.pane} aria-label={t('order.title')}>
      <div className={styles.paneHead}>
        <h2>{t('order.title')}</h2>
        <div className={styles.switch} role="group" aria-label={t('order.how')}>
          <button type="button" aria-pressed={!order.byLines} onClick={() => edit({ byLines: false, spend: {} })}>{t('order.amount')}</button>
          <button type="button" aria-pressed={order.byLines} onClick={() => edit({ byLines: true, spend: {} })}>{t('order.lines')}</button>
        </div>
      </div>
      {order.byLines
        ? <Lines items={order.items} shop={shop} offline={offline} set={(items) => edit({ items, spend: {} })} toPay={toPay} />
        : (
          <>
            <label className={styles.label} htmlFor="till-amount">{t('order.amountOf', { currency: shop.currency })}</label>
            <input
              id="till-amount" ref={amount} className={styles.amount} value={order.amount} inputMode={keypad ? 'none' : 'decimal'} autoComplete="off" maxLength={40}
              placeholder={decimalsOf(shop.currency) ? '0.00' : '0'} aria-invalid={bad} onChange={(e) => edit({ amount: e.target.value, spend: {} })} onKeyDown={key}
            />
            {bad && <p role="alert" className={styles.fieldError}>{t('order.badAmount')}</p>}
            {keypad && (
              <div className={styles.keypad} aria-label={t('order.keypad')} role="group">
                {digits.map((d) => <button key={d} type="button" tabIndex={-1} aria-label={d === '⌫' ? t('order.erase') : d} onClick={() => press(d)}>{d}</button>)}
              </div>
            )}
          </>
        )}
      <Coupons order={order} shop={shop} quote={quote} offline={offline} edit={edit} pickUp={pickUp} />
      {order.member && <PayWith order={order} shop={shop} total={total ?? 0} list={payables} offline={offline} edit={edit} />}
    </section>
  );
}

/** Paying with points and stored value. Without a line nobody knows what is left, so nothing is taken. */
function PayWith({ order, shop, total, list, offline, edit }: { order: Order; shop: Shop; total: number; list: Props['payables']; offline: boolean; edit: Props['edit'] }) {
  const { t } = useTranslation('till');
  const { money, named, language } = useFormat();
  const [shown, setShown] = useState<string>();
  if (offline || !order.member?.id || !order.member.wallets) {
    return <div className={styles.spend}><p className={styles.why}><Icon name="lock" size={18} /><span>{offline || order.member?.typed ? t('spend.offline') : t('spend.unread')}</span></p></div>;
  }
  const one = list.find((p) => p.wallet.currency === shown) ?? list[0];
  if (!one) return null;
  const { wallet, millionths, bounds } = one;
  const { least, most } = bounds;
  const { currency, decimals, kind } = wallet;
  const n = order.spend[currency] ?? 0;
  const stored = kind === 'stored';
  const unit = Math.max(1, pointsFor(10 ** decimalsOf(shop.currency), millionths)); // one whole unit of money
  const step = Math.ceil(unit / bounds.step) * bounds.step;
  const set = (to: number) => edit({ spend: { ...order.spend, [currency]: takes(to, bounds) } });
  const less = () => set(n <= least ? 0 : Math.max(least, n % step ? n - (n % step) : n - step));
  const amountOf = (amount: number) => (stored ? money(worthOf(amount, millionths), shop.currency, { trim: true }) : `${pointsFigure(amount, decimals)} ${pointsUnit(amount, language, decimals)}`);
  return (
    <div className={styles.spend}>
      {list.length > 1
        ? (
          <div className={styles.switch} role="group" aria-label={t('spend.which')}>
            {list.map((p) => <button key={p.wallet.currency} type="button" aria-pressed={p === one} onClick={() => setShown(p.wallet.currency)}>{t('spend.with', { name: named(p.wallet) })}</button>)}
          </div>
        )
        : (
          <div className={styles.pair}>
            <span className={styles.label}>{t('spend.with', { name: named(wallet) })}</span>
            {!stored && <span className={styles.label}>{t('spend.rate', { points: pointsFigure(unit, decimals), money: money(worthOf(unit, millionths), shop.currency, { trim: true }) })}</span>}
          </div>
        )}
      <div className={styles.step}>
        <button type="button" className={styles.button} aria-label={t('spend.less', { name: named(wallet) })} disabled={n === 0} onClick={less}><Icon name="minus" size={24} /></button>
        <div className={styles.stepFigure} aria-live="polite">
          <b>{stored ? money(worthOf(n, millionths), shop.currency) : <>{pointsFigure(n, decimals)} <i>{pointsUnit(n, language, decimals)}</i></>}</b>
          {!stored && <span>{t('spend.off', { money: money(worthOf(n, millionths), shop.currency) })}</span>}
        </div>
        <button type="button" className={styles.button} aria-label={t('spend.more', { name: named(wallet) })} disabled={n >= most} onClick={() => set(n - (n % step) + step)}><Icon name="plus" size={24} /></button>
      </div>
      {most > 0 && <input className={styles.slider} type="range" aria-label={t('spend.with', { name: named(wallet) })} aria-valuetext={amountOf(n)} min={0} max={most} step={bounds.step} value={Math.min(n, most)} onChange={(e) => set(Number(e.target.value))} />}
      {total > 0 && (most === 0 || most < wallet.available || least > bounds.step) && (
        <p className={styles.note}>{most === 0 ? t('spend.notTaken', { name: named(wallet) }) : least > bounds.step ? t('spend.between', { least: amountOf(least), most: amountOf(most) }) : t('spend.most', { most: amountOf(most) })}</p>
      )}
      {!fits(n, bounds) && <p role="alert" className={styles.fieldError}>{t('spend.tooMuch', { amount: amountOf(n) })}</p>}
      <div className={styles.quick}>
        <button type="button" disabled={n === 0} onClick={() => set(0)}>{t('spend.none')}</button>
        <button type="button" disabled={most === 0 || n === most} onClick={() => set(most)}>{t('spend.all')}{!stored && <kbd>F4</kbd>}</button>
      </div>
    </div>
  );
}

/** Lines: sku ↵ quantity ↵ price ↵; an empty sku ↵ goes on to the payment. */
function Lines({ items, shop, offline, set, toPay }: { items: Item[]; shop: Shop; offline: boolean; set: (items: Item[]) => void; toPay: () => void }) {
  const { t } = useTranslation('till');
  const { money, named } = useFormat();
  const decimals = decimalsOf(shop.currency);
  const [sku, setSku] = useState('');
  const [quantity, setQuantity] = useState('1');
  const [price, setPrice] = useState('');
  const [name, setName] = useState('');
  const [wrong, setWrong] = useState(false);
  const to = (name: 'sku' | 'quantity' | 'price') => {
    const field = document.getElementById(`till-${name}`) as HTMLInputElement | null;
    field?.focus();
    field?.select();
  };

  /** What the catalogue says of it; a shop that keeps none types the price. */
  async function look() {
    setName('');
    if (offline || !sku.trim()) return;
    try {
      const product = await ok(api.GET('/v1/products/{sku}', { params: { path: { sku: sku.trim() } }, signal: AbortSignal.timeout(3000) }));
      setName(named(product));
      if (product.price?.currency === shop.currency) setPrice((had) => had || (product.price!.amount / 10 ** decimals).toFixed(decimals));
    } catch {
      setName(''); // not in the catalogue, or no line: it can be sold all the same
    }
  }

  function add() {
    const each = minorOf(price, decimals);
    const count = /^\d{1,6}(\.\d{1,3})?$/.test(quantity.trim()) ? Number(quantity) : 0;
    if (!sku.trim() || each === undefined || count <= 0) return setWrong(true);
    set([...items, { sku: sku.trim(), name, quantity: count, amount: Math.round(each * count) }]);
    setSku('');
    setQuantity('1');
    setPrice('');
    setName('');
    setWrong(false);
    to('sku');
  }

  const onEnter = (act: () => void) => (event: KeyboardEvent) => {
    if (event.key !== 'Enter' || event.nativeEvent.isComposing) return;
    event.preventDefault();
    act();
  };
  return (
    <>
      <div className={styles.lineForm}>
        <label>{t('lines.sku')}<input id="till-sku" value={sku} maxLength={64} autoFocus onChange={(e) => setSku(e.target.value)} onBlur={() => void look()} onKeyDown={onEnter(() => (sku.trim() ? to('quantity') : toPay()))} /></label>
        <label>{t('lines.quantity')}<input id="till-quantity" value={quantity} inputMode="decimal" onChange={(e) => setQuantity(e.target.value)} onKeyDown={onEnter(() => to('price'))} /></label>
        <label>{t('lines.price')}<input id="till-price" value={price} inputMode="decimal" onChange={(e) => setPrice(e.target.value)} onKeyDown={onEnter(add)} /></label>
        <button type="button" className={styles.button} onClick={add}>{t('lines.add')}</button>
      </div>
      {name && <p className={styles.label}>{name}</p>}
      {wrong && <p role="alert" className={styles.fieldError}>{t('lines.wrong')}</p>}
      <ul className={styles.lines} aria-label={t('order.lines')}>
        {items.map((i, at) => (
          <li key={at}>
            <span>{i.name || i.sku} <i>× {i.quantity}</i></span>
            <span className={styles.num}>{money(i.amount, shop.currency)}</span>
            <button type="button" className={styles.round} aria-label={t('lines.remove', { name: i.name || i.sku })} onClick={() => set(items.filter((_, x) => x !== at))}><Icon name="close" size={18} /></button>
          </li>
        ))}
      </ul>
    </>
  );
}
