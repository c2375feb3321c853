import { Form, InputNumber, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { Section } from '../../ui/section.tsx';
import { majorOf, minorOf } from './settings.ts';
import styles from './program-page.module.css';

const policies = ['honour', 'store', 'review'] as const;

/** How far tills may go while the line is down. Fields of the form around it. */
export function OfflineSection({ currency }: { currency: string }) {
  const { t } = useTranslation('program');
  const inMoney = {
    getValueProps: (v: number) => ({ value: majorOf(v, currency) }),
    normalize: (v: number | null) => minorOf(v ?? 0, currency),
  };
  return (
    <Section title={t('offline.title')} note={t('offline.note')}>
      <Form.Item name={['offline', 'hours']} label={t('offline.hours')} extra={t('offline.hoursHelp')} normalize={(v: number | null) => v ?? 0}>
        <InputNumber min={0} max={168} precision={0} suffix={t('offline.hoursUnit')} style={{ width: 160 }} />
      </Form.Item>
      <div className={styles.pair}>
        <Form.Item name={['offline', 'per_member']} label={t('offline.perMember')} extra={t('offline.perMemberHelp')} {...inMoney}>
          <InputNumber min={0} suffix={currency} style={{ width: 160 }} />
        </Form.Item>
        <Form.Item name={['offline', 'per_store']} label={t('offline.perStore')} extra={t('offline.perStoreHelp')} {...inMoney}>
          <InputNumber min={0} suffix={currency} style={{ width: 160 }} />
        </Form.Item>
      </div>
      <Form.Item name={['offline', 'policy']} label={t('offline.policy')} extra={t('offline.policyHelp')}>
        <Select style={{ maxWidth: 320 }} options={policies.map((value) => ({ value, label: t(`offline.policies.${value}`) }))} />
      </Form.Item>
    </Section>
  );
}
