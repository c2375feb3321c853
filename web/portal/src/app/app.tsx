import '@patron/shared/theme/choice.ts';
import { useTranslation } from 'react-i18next';

/** The member portal. */
export function App() {
  const { t } = useTranslation('app');
  return <main>{t('title')}</main>;
}
