import type { AddDrawNewDrawInBody } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { Button, Form, Input, InputNumber, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { useCurrencies } from '../../frame/lookups.ts';
import styles from './draw-page.module.css';
import { percentOf } from './words.tsx';

export type Values = AddDrawNewDrawInBody;

/** The prizes with their odds, row by row. */
export function PrizeFields({ values }: { values: Values }) {
  const { t } = useTranslation('draw');
  const currencies = useCurrencies();
  const gives = currencies.list.filter((c) => c.kind !== 'stored').map((c) => ({ value: c.code, label: currencies.nameOf(c.code) }));
  return (
    <Form.List name="prizes">
      {(fields, { add, remove }) => (
        <>
          {fields.map((f) => {
            const kind = values.prizes?.[f.name]?.kind ?? 'points';
            return (
              <div key={f.key} className={styles.prize}>
                <Form.Item name={[f.name, 'name_zh']} label={t('field.nameZh')}><Input maxLength={100} /></Form.Item>
                <Form.Item name={[f.name, 'name_en']} label={t('field.nameEn')}><Input maxLength={100} /></Form.Item>
                <Form.Item name={[f.name, 'kind']} label={t('field.kind')}><Select options={(['points', 'thing', 'coupon'] as const).map((value) => ({ value, label: t(`kind.${value}`) }))} /></Form.Item>
                {kind === 'points' ? <Form.Item name={[f.name, 'amount']} label={t('field.amount')}><InputNumber min={1} precision={0} style={{ width: '100%' }} /></Form.Item>
                  : <Form.Item name={[f.name, 'worth']} label={t('field.worth')}><InputNumber min={0} precision={0} style={{ width: '100%' }} /></Form.Item>}
                <Form.Item name={[f.name, 'odds']} label={t('field.odds')}><InputNumber min={0} max={1_000_000} precision={0} style={{ width: '100%' }} /></Form.Item>
                <Form.Item name={[f.name, 'stock']} label={t('field.stock')}><InputNumber min={0} precision={0} placeholder={t('noBound')} style={{ width: '100%' }} /></Form.Item>
                <Button type="text" className={styles.away} icon={<Icon name="close" size={16} />} aria-label={t('remove')} onClick={() => remove(f.name)} />
                <Form.Item name={[f.name, 'code']} label={t('field.code')} rules={[{ required: true, message: t('field.codeNeeded') }]}><Input maxLength={40} /></Form.Item>
                {kind === 'points' && <Form.Item name={[f.name, 'currency']} label={t('field.currency')}><Select options={gives} /></Form.Item>}
                {kind === 'coupon' && <Form.Item name={[f.name, 'coupon']} label={t('field.coupon')}><Input maxLength={64} /></Form.Item>}
                <Form.Item name={[f.name, 'instead']} className={styles.wide} label={t('field.instead')}><Select allowClear placeholder={t('nothing')} options={(values.prizes ?? []).filter((p, i) => i !== f.name && p?.code).map((p) => ({ value: p.code, label: p.name_zh || p.name_en || p.code }))} /></Form.Item>
              </div>
            );
          })}
          <Button type="text" size="small" icon={<Icon name="plus" size={16} />} onClick={() => add({ kind: 'points', currency: gives[0]?.value, odds: 0, code: `prize-${fields.length + 1}` })}>{t('addPrize')}</Button>
        </>
      )}
    </Form.List>
  );
}

/** What the odds sum to, and what a thousand plays cost on average: worked out as one types. */
export function OddsSum({ values }: { values: Values }) {
  const { t } = useTranslation('draw');
  const { count } = useFormat();
  const prizes = (values.prizes ?? []).filter(Boolean);
  const sum = prizes.reduce((n, p) => n + (p.odds ?? 0), 0);
  const worth = prizes.reduce((n, p) => n + ((p.odds ?? 0) / 1_000_000) * 1000 * ((p.kind === 'points' ? p.amount : p.worth) ?? 0), 0);
  const income = 1000 * (values.price?.amount ?? 0);
  return (
    <div className={sum > 1_000_000 ? `${styles.sum} ${styles.over}` : styles.sum} role="status">
      <b>{sum > 1_000_000 ? t('sum.over', { more: count(sum - 1_000_000) }) : t('sum.said', { wins: percentOf(sum), nothing: percentOf(1_000_000 - sum) })}</b>
      <span>{t('sum.worth', { worth: count(Math.round(worth)), income: count(income) })}</span>
    </div>
  );
}
