import { decimalsOf, symbolOf } from '@patron/shared/format/format.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useQuery } from '@tanstack/react-query';
import { Form, InputNumber, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { useCategories } from '../../frame/categories.ts';
import { programQuery } from '../../frame/me.ts';
import { StoreSelect } from '../../ui/place-select.tsx';
import styles from './currency-page.module.css';
import { mostOf, type Policy } from './policy.ts';

interface Props {
  stored: boolean;
  decimals: number;
  pay: Policy['pay'];
  /** Millionths of a minor unit that the smallest unit is worth. */
  value: number;
}

const many = 100; // people know what a hundred points are worth
const example = 200; // of money, in whole units: a purchase as one has them every day

/** How much of a purchase it may pay for, and what that comes to. */
export function PayFields({ stored, decimals, pay, value }: Props) {
  const { t } = useTranslation('ledger');
  const { money, points, language } = useFormat();
  const currency = useQuery(programQuery).data?.currency ?? 'CNY';
  const categories = useCategories();
  const unit = 10 ** decimalsOf(currency);
  const worth = (many * 10 ** decimals * value) / 1_000_000 / unit;
  const amount = (n: number) => (stored ? money(n, currency, { trim: true }) : points(n, { decimals }));
  const bill = example * unit;
  const most = mostOf(pay, value, bill);
  const cash = Math.floor((most * value) / 1_000_000);
  return (
    <>
      <h2 style={{ margin: '24px 0 4px' }}>{t('pay.title')}</h2>
      <p className="quiet" style={{ marginBottom: 12 }}>{t('pay.text')}</p>
      {!stored && (
        <Form.Item name={['policy', 'unit_value_millionths']} label={t('pay.worth', { points: points(many * 10 ** decimals, { decimals }) })} extra={t('pay.worthHelp')}
          getValueProps={() => ({ value: value ? worth : null })}
          getValueFromEvent={(n: number | null) => Math.round(((n ?? 0) * unit * 1_000_000) / (many * 10 ** decimals))}
        >
          <InputNumber min={0} max={1_000_000} prefix={symbolOf(currency, language)} style={{ width: 200 }} />
        </Form.Item>
      )}
      <div className={styles.pair}>
        <Form.Item name={['policy', 'pay', 'most_percent']} label={t('pay.percent')} extra={t('policy.noBound')}><InputNumber min={0} max={100} precision={0} suffix="%" style={{ width: '100%' }} /></Form.Item>
        <Form.Item name={['policy', 'pay', 'most']} label={t('pay.most')} extra={t('policy.noBound')}><InputNumber min={0} precision={0} style={{ width: '100%' }} /></Form.Item>
        <Form.Item name={['policy', 'pay', 'least']} label={t('pay.least')} extra={t('policy.noBound')}><InputNumber min={0} precision={0} style={{ width: '100%' }} /></Form.Item>
        <Form.Item name={['policy', 'pay', 'step']} label={t('pay.step')} extra={t('pay.stepHelp')}><InputNumber min={0} precision={0} style={{ width: '100%' }} /></Form.Item>
      </div>
      <Form.Item name={['policy', 'pay', 'exclude_categories']} label={t('pay.categories')}><Select mode="multiple" allowClear showSearch={{ optionFilterProp: 'label' }} placeholder={t('pay.noneExcluded')} options={categories.options} /></Form.Item>
      <Form.Item name={['policy', 'pay', 'exclude_stores']} label={t('pay.stores')}><StoreSelect mode="multiple" allowClear placeholder={t('pay.noneExcluded')} /></Form.Item>
      <p className="lead" role="status" style={{ marginBottom: 24 }}>
        {value <= 0 ? t('pay.worthless') : most <= 0 ? t('pay.nothing', { bill: money(bill, currency, { trim: true }) }) : stored
          ? t('pay.exampleStored', { bill: money(bill, currency, { trim: true }), money: money(cash, currency, { trim: true }) })
          : t('pay.example', { bill: money(bill, currency, { trim: true }), money: money(cash, currency, { trim: true }), amount: amount(most) })}
        {value > 0 && most > 0 && (pay?.least ?? 0) > 0 && t('pay.exampleLeast', { least: amount(pay!.least!) })}
      </p>
    </>
  );
}
