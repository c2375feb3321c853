import type { Permission } from '@patron/shared/api/permission.ts';
import { useTranslation } from 'react-i18next';
import { useCan } from '../frame/me.ts';
import { SubPages } from './sub-pages.tsx';

const pages = [
  { to: '/settings', key: 'program', needs: 'program.manage' },
  { to: '/settings/staff', key: 'staff', needs: 'staff.manage' },
  { to: '/settings/roles', key: 'roles', needs: undefined },
  { to: '/settings/keys', key: 'keys', needs: 'keys.manage' },
] as const satisfies { to: string; key: string; needs: Permission | undefined }[];

/** The pages of the settings that one may use. */
export function useSettingsPages() {
  const { t } = useTranslation('frame');
  const can = useCan();
  return pages.filter((p) => can(p.needs)).map((p) => ({ to: p.to as string, label: t(`settings.${p.key}`) }));
}

/** The way between them. */
export function SettingsTabs() {
  const { t } = useTranslation('frame');
  return <SubPages label={t('settings.menu')} pages={useSettingsPages()} />;
}
