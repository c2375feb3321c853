import { Form, Input, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { useStores } from '../../frame/lookups.ts';
import styles from './profile-fields.module.css';

export interface ProfileValues {
  name?: string;
  gender?: string;
  birthday?: string;
  city?: string;
  address?: string;
  language?: string;
  store?: string;
  source?: string;
}

/** What a member says of themselves. The form's refusals name the same fields. */
export function ProfileFields() {
  const { t } = useTranslation('member');
  const stores = useStores();
  return (
    <div className={styles.grid}>
      <Form.Item name="name" label={t('field.name')} className={styles.wide}><Input maxLength={100} autoComplete="off" /></Form.Item>
      <Form.Item name="gender" label={t('field.gender')}>
        <Select allowClear options={(['female', 'male', 'other', 'unknown'] as const).map((value) => ({ value, label: t(`gender.${value}`) }))} />
      </Form.Item>
      <Form.Item name="birthday" label={t('field.birthday')} extra={t('help.birthday')}><Input placeholder="1990-02-28" autoComplete="off" /></Form.Item>
      <Form.Item name="city" label={t('field.city')}><Input maxLength={100} autoComplete="off" /></Form.Item>
      <Form.Item name="language" label={t('field.language')}>
        <Select allowClear options={[{ value: 'zh-CN', label: '中文' }, { value: 'en', label: 'English' }]} />
      </Form.Item>
      <Form.Item name="store" label={t('field.store')}><Select allowClear showSearch={{ optionFilterProp: 'label' }} options={stores.options} /></Form.Item>
      <Form.Item name="source" label={t('field.source')}><Input maxLength={60} autoComplete="off" /></Form.Item>
      <Form.Item name="address" label={t('field.address')} className={styles.wide}><Input maxLength={300} autoComplete="off" /></Form.Item>
    </div>
  );
}

/** Without what was left empty: an empty text is no value. */
export function filled<T extends object>(values: T): Partial<T> {
  return Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined && v !== null && v !== '' && !(Array.isArray(v) && v.length === 0))) as Partial<T>;
}
