import { useTranslation } from 'react-i18next';
import { Page } from '../../frame/page.tsx';
import { Section } from '../../ui/section.tsx';
import { PasswordForm } from './password-form.tsx';
import { Sessions } from './sessions.tsx';

/** One's own account. */
export default function AccountPage() {
  const { t } = useTranslation('account');
  return (
    <Page title={t('title')}>
      <Section title={t('sessions.title')} note={t('sessions.note')}><Sessions /></Section>
      <Section title={t('change.title')} note={t('change.note')}><PasswordForm /></Section>
    </Page>
  );
}
