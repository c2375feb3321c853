import type { TillCheckoutView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import type { Shop } from './device.ts';
import type { Order } from './order.ts';
import styles from './till.module.css';

interface Props {
  order: Order;
  shop: Shop;
  quote: TillCheckoutView | undefined;
  offline: boolean;
  edit: (part: Partial<Order>) => void;
  /** Looks for what was ordered or won under the code. */
  pickUp: ((code: string) => void) | undefined;
}

const most = 20; // codes of one sale
const shownLeft = 3; // coupons of the member that are not used

const bare = (code: string) => code.toUpperCase().replace(/[\s-]/g, '');

/** Coupons of the sale: scanned or picked, what each takes off, and why the others do not. */
export function Coupons({ order, shop, quote, offline, edit, pickUp }: Props) {
  const { t } = useTranslation('till');
  const { money, named } = useFormat();
  const [code, setCode] = useState('');
  if (offline) return order.coupons.length ? <p className={styles.why}><Icon name="lock" size={18} /><span>{t('coupons.offline')}</span></p> : null;
  const set = (coupons: string[]) => edit({ coupons, spend: {} });
  const add = (word: string) => {
    const one = bare(word);
    if (one && !order.coupons.map(bare).includes(one) && order.coupons.length < most) set([...order.coupons, one]);
    setCode('');
  };
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add(code);
  };
  const used = quote?.coupons ?? [];
  const left = quote?.left_out ?? [];
  const others = left.filter((l) => !l.named);
  const reasonOf = (one: string) => left.find((l) => l.named && bare(l.code) === bare(one));
  return (
    <div className={styles.coupons}>
      <form className={styles.couponField} onSubmit={submit}>
        <label className={styles.label} htmlFor="till-coupon">{t('coupons.label')}</label>
        <input id="till-coupon" value={code} maxLength={64} autoComplete="off" placeholder={t('coupons.hint')} onChange={(e) => setCode(e.target.value)} />
        <button type="submit" className={styles.button} disabled={!bare(code)}>{t('coupons.add')}</button>
      </form>
      {order.coupons.length > 0 && (
        <ul className={styles.lines} aria-label={t('coupons.used')}>
          {order.coupons.map((one) => {
            const hit = used.find((u) => bare(u.code) === bare(one));
            const why = reasonOf(one);
            const at = left.length + used.length > 0 && !hit && !why ? left.find((l) => l.named) : why;
            return (
              <li key={one}>
                <span>{hit ? named(hit) : one} {!hit && at && <i role="alert" className={styles.fieldError}>{at.words}</i>}{!hit && at?.why === 'coupon.unknown' && pickUp && <> <button type="button" className="word" onClick={() => pickUp(one)}>{t('coupons.pickUp')}</button></>}</span>
                <span className={styles.num}>{hit ? money(-hit.off, shop.currency) : ''}</span>
                <button type="button" className={styles.round} aria-label={t('coupons.remove', { name: hit ? named(hit) : one })} onClick={() => set(order.coupons.filter((x) => x !== one))}><Icon name="close" size={18} /></button>
              </li>
            );
          })}
        </ul>
      )}
      {!!quote?.standing?.length && (
        <ul className={styles.lines} aria-label={t('coupons.standing')}>
          {quote.standing.map((d) => <li key={`${d.kind} ${d.code}`}><span>{named(d)}</span><span className={styles.num}>{money(-d.off, shop.currency)}</span></li>)}
        </ul>
      )}
      {quote?.better && (
        <button type="button" className={styles.button} onClick={() => set(quote.better!.codes ?? [])}>
          {t('coupons.best', { money: money(quote.better.off, shop.currency), count: quote.better.codes?.length ?? 0 })}
        </button>
      )}
      {others.length > 0 && (
        <ul className={styles.why} aria-label={t('coupons.others')}>
          {others.slice(0, shownLeft).map((l) => (
            <li key={l.code}>
              <span>{named(l)}</span>
              {l.why === 'not_asked' ? <button type="button" className="word" onClick={() => add(l.code)}>{t('coupons.use')}</button> : <span>{l.words}</span>}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
