import { Icon } from '@patron/shared/ui/icon.tsx';
import { Button, DatePicker, Form, InputNumber, Select } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { useTranslation } from 'react-i18next';
import styles from './currency-page.module.css';

/** A day of the picker for one as the API writes it. */
const day = { getValueProps: (value?: string) => ({ value: value ? dayjs(value) : null }), normalize: (value: Dayjs | null) => value?.format('YYYY-MM-DD') };

/** What only stored value has: which part pays first, and what comes on top of a top-up. */
export function StoredFields({ decimals }: { decimals: number }) {
  const { t } = useTranslation('ledger');
  return (
    <>
      <Form.Item name={['policy', 'spend_order']} label={t('stored.order')} extra={t('stored.orderHelp')}>
        <Select style={{ maxWidth: 360 }} placeholder={t('stored.orders.principal_first')} options={(['principal_first', 'bonus_first', 'proportional'] as const).map((value) => ({ value, label: t(`stored.orders.${value}`) }))} />
      </Form.Item>
      <Form.Item label={t('stored.steps')} extra={t('stored.stepsHelp')}>
        <Form.List name={['policy', 'top_ups']}>
          {(rows, { add, remove }) => (
            <>
              {rows.map((row, i) => (
                <div key={row.key} className={styles.sentence} style={{ marginBottom: 8 }}>
                  <Form.Item noStyle name={[row.name, 'least']}><InputNumber aria-label={t('stored.least', { n: i + 1 })} placeholder={t('stored.pays')} min={0} precision={decimals} style={{ width: 120 }} /></Form.Item>
                  <Form.Item noStyle name={[row.name, 'bonus']}><InputNumber aria-label={t('stored.bonus', { n: i + 1 })} placeholder={t('stored.gets')} min={0} precision={decimals} style={{ width: 120 }} /></Form.Item>
                  <Form.Item noStyle name={[row.name, 'from']} {...day}><DatePicker aria-label={t('stored.from', { n: i + 1 })} placeholder={t('stored.first')} style={{ width: 132 }} /></Form.Item>
                  <Form.Item noStyle name={[row.name, 'until']} {...day}><DatePicker aria-label={t('stored.until', { n: i + 1 })} placeholder={t('stored.last')} style={{ width: 132 }} /></Form.Item>
                  <Button type="text" aria-label={t('stored.remove', { n: i + 1 })} icon={<Icon name="minus" size={18} />} onClick={() => remove(row.name)} />
                </div>
              ))}
              <Button icon={<Icon name="plus" size={18} />} onClick={() => add({})}>{t('stored.add')}</Button>
            </>
          )}
        </Form.List>
      </Form.Item>
    </>
  );
}
