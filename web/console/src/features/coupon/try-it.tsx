import { api, ok } from '@patron/shared/api/client.ts';
import type { CouponTerms, CouponTryLine, TryCouponTermsTryInBody } from '@patron/shared/api/schema.d.ts';
import { decimalsOf, symbolOf } from '@patron/shared/format/format.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Button, Checkbox, DatePicker, Input, InputNumber } from 'antd';
import type { Dayjs } from 'dayjs';
import { useDeferredValue, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { StoreSelect } from '../../ui/place-select.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import styles from './coupon.module.css';

/** What the coupon, as it stands in the form, would take off a basket that one makes up. */
export function TryIt({ terms, money }: { terms: CouponTerms; money: string }) {
  const { t } = useTranslation('coupon');
  const { money: said, language } = useFormat();
  const unit = 10 ** decimalsOf(money);
  const [lines, setLines] = useState<CouponTryLine[]>([{ sku: '', quantity: 1, amount: 100 * unit }]);
  const [where, setWhere] = useState<{ store?: string | undefined; channel?: string; member?: string; at?: Dayjs | null }>({});
  const [who, setWho] = useState('');
  const asked = useDeferredValue(JSON.stringify({ coupon: { ...terms, name_en: terms.name_en || '–' }, basket: { ...(where.store && { store: where.store }), ...(where.channel && { channel: where.channel }), ...(where.member && { member: where.member }), ...(where.at && { at: where.at.toISOString() }), lines: lines.map((l) => ({ quantity: l.quantity, amount: l.amount, ...(l.sku && { sku: l.sku }), ...(l.delivery && { delivery: true }) })) } }));
  const result = useQuery({
    queryKey: ['coupon-try', asked],
    queryFn: () => ok(api.POST('/v1/coupons/try', { body: JSON.parse(asked) as TryCouponTermsTryInBody })),
    placeholderData: keepPreviousData,
    retry: false,
    gcTime: 30_000,
  });
  const set = (i: number, change: Partial<CouponTryLine>) => setLines(lines.map((l, j) => (j === i ? { ...l, ...change } : l)));
  const r = result.data;
  return (
    <div>
      <p className="quiet">{t('try.note')}</p>
      {lines.map((l, i) => (
        <div key={i} className={styles.line}>
          <Input aria-label={t('try.sku', { n: i + 1 })} placeholder={t('try.skuHint')} value={l.sku ?? ''} disabled={l.delivery} onChange={(e) => set(i, { sku: e.target.value.trim() })} />
          <InputNumber aria-label={t('try.quantity', { n: i + 1 })} min={0.001} value={l.quantity} onChange={(n) => set(i, { quantity: n ?? 1 })} />
          <InputNumber aria-label={t('try.amount', { n: i + 1 })} min={0} precision={decimalsOf(money)} prefix={symbolOf(money, language)} value={l.amount / unit} onChange={(n) => set(i, { amount: Math.round((n ?? 0) * unit) })} />
          <span className={styles.off}>{r?.by_line?.[i] ? said(-r.by_line[i], money) : ''}</span>
          <Button type="text" icon={<Icon name="close" size={16} />} aria-label={t('try.remove', { n: i + 1 })} disabled={lines.length === 1} onClick={() => setLines(lines.filter((_, j) => j !== i))} />
          <Checkbox checked={!!l.delivery} onChange={(e) => set(i, { delivery: e.target.checked })}>{t('try.delivery')}</Checkbox>
        </div>
      ))}
      <Button type="text" size="small" icon={<Icon name="plus" size={16} />} onClick={() => setLines([...lines, { sku: '', quantity: 1, amount: 50 * unit }])}>{t('try.add')}</Button>
      <div className={styles.situation}>
        <StoreSelect allowClear aria-label={t('try.store')} placeholder={t('try.store')} value={where.store} onChange={(v) => setWhere({ ...where, store: v as string | undefined })} />
        <Input allowClear aria-label={t('try.channel')} placeholder={t('try.channel')} maxLength={64} value={where.channel} onChange={(e) => setWhere({ ...where, channel: e.target.value.trim() })} />
        <DatePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" aria-label={t('try.at')} placeholder={t('try.at')} value={where.at ?? null} onChange={(at: Dayjs | null) => setWhere({ ...where, at })} />
        <Input allowClear aria-label={t('try.member')} placeholder={t('try.member')} maxLength={255} value={who} onChange={(e) => setWho(e.target.value)} onPressEnter={() => setWhere({ ...where, member: who.trim() })} onBlur={() => setWhere({ ...where, member: who.trim() })} />
      </div>
      {result.error ? <ProblemAlert error={result.error} /> : r && (
        <dl className={styles.facts} aria-live="polite">
          <div><dt>{t('try.total')}</dt><dd>{said(r.total, money)}</dd></div>
          <div><dt>{t('try.off')}</dt><dd>{said(-r.off, money)}</dd></div>
          <div><dt>{t('try.pay')}</dt><dd>{said(r.pay, money)}</dd></div>
          {r.why && <div><dt>{t('try.why')}</dt><dd>{r.words}{r.why === 'threshold' && r.more ? ` ${t('try.more', { amount: said(r.more, money) })}` : r.why === 'quantity' && r.more ? ` ${t('try.pieces', { count: r.more / 1000 })}` : r.sku ? ` ${t('try.gift', { sku: r.sku })}` : ''}</dd></div>}
        </dl>
      )}
    </div>
  );
}
