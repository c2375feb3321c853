import { Form } from 'antd';
import { useTranslation } from 'react-i18next';
import { useMerchants, useStores } from '../../frame/lookups.ts';
import { MerchantSelect, StoreSelect } from '../../ui/place-select.tsx';

interface Limited {
  merchants?: string[] | null;
  stores?: string[] | null;
}

/** Where somebody, or a key, may act. */
export function Reach({ of }: { of: Limited }) {
  const { t } = useTranslation('staff');
  const { nameOf: merchantOf } = useMerchants();
  const { nameOf: storeOf } = useStores();
  const names = [...(of.merchants ?? []).map(merchantOf), ...(of.stores ?? []).map(storeOf)];
  if (names.length === 0) return <>{t('reach.everywhere')}</>;
  const shown = names.slice(0, most).join(t('reach.comma'));
  return <span title={names.join(t('reach.comma'))}>{names.length > most ? t('reach.more', { names: shown, count: names.length - most }) : shown}</span>;
}

const most = 2;

/** The fields of a limit. With none of both, everywhere. */
export function ReachFields() {
  const { t } = useTranslation('staff');
  const { list } = useMerchants();
  return (
    <>
      <Form.Item name="stores" label={t('reach.stores')} extra={t('reach.help')}><StoreSelect mode="multiple" allowClear placeholder={t('reach.everywhere')} /></Form.Item>
      {list.length > 1 && <Form.Item name="merchants" label={t('reach.merchants')}><MerchantSelect mode="multiple" allowClear placeholder={t('reach.everywhere')} /></Form.Item>}
    </>
  );
}
