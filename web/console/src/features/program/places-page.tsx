import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Page } from '../../frame/page.tsx';
import { Section } from '../../ui/section.tsx';
import { SubPages } from '../../ui/sub-pages.tsx';

/** What the pages of stores, tills and merchants have in common. */
export function PlacesPage({ actions, children }: { actions: ReactNode; children: ReactNode }) {
  const { t } = useTranslation('program');
  const pages = [
    { to: '/stores', label: t('stores.menu') },
    { to: '/stores/tills', label: t('tills.menu') },
    { to: '/stores/merchants', label: t('merchants.menu') },
  ];
  return (
    <Page title={t('places.menu')} actions={actions}>
      <SubPages label={t('places.menu')} pages={pages} />
      <Section>{children}</Section>
    </Page>
  );
}
