import { useTranslation } from 'react-i18next';
import { SubPages } from '../../ui/sub-pages.tsx';

/** The catalogue, and what was ordered of it. */
export function Pages() {
  const { t } = useTranslation('reward');
  return <SubPages label={t('menu')} pages={[{ to: '/rewards', label: t('catalogue') }, { to: '/rewards/orders', label: t('orders.title') }]} />;
}
