import { useTranslation } from 'react-i18next';
import { useCan } from '../../frame/me.ts';
import { SubPages } from '../../ui/sub-pages.tsx';

/** Coupons, and the search of one code. */
export function Pages() {
  const { t } = useTranslation('coupon');
  const can = useCan();
  return <SubPages label={t('menu')} pages={[{ to: '/coupons', label: t('menu') }, ...(can('members.read') ? [{ to: '/coupons/codes', label: t('codes.menu') }] : [])]} />;
}
