import { useTranslation } from 'react-i18next';
import { SubPages } from '../../ui/sub-pages.tsx';

/** The way between the pages of rules. */
export function RulesTabs() {
  const { t } = useTranslation('rule');
  return (
    <SubPages
      label={t('menu')}
      pages={[
        { to: '/rules', label: t('tab.list') },
        { to: '/rules/calendar', label: t('tab.calendar') },
        { to: '/rules/groups', label: t('tab.groups') },
        { to: '/rules/tests', label: t('tab.tests') },
        { to: '/rules/failures', label: t('tab.failures') },
      ]}
    />
  );
}
