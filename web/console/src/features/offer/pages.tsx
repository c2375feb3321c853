import { useTranslation } from 'react-i18next';
import { SubPages } from '../../ui/sub-pages.tsx';

/** Offers, and what else makes people come. */
export function Pages() {
  const { t } = useTranslation('offer');
  return <SubPages label={t('menu')} pages={[{ to: '/offers', label: t('menu') }, { to: '/offers/play', label: t('play.menu') }]} />;
}
