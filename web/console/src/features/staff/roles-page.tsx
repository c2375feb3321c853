import { Icon } from '@patron/shared/ui/icon.tsx';
import { Grid, Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Page } from '../../frame/page.tsx';
import { Section } from '../../ui/section.tsx';
import { SettingsTabs } from '../../ui/settings-tabs.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { ViewTabs } from '../../ui/view-tabs.tsx';
import { WideTable } from '../../ui/wide-table.tsx';
import { useRoles, type Role } from './roles.ts';
import styles from './roles-page.module.css';

/** Who may do what: the table as it stands in the program. On a phone one role at a time. */
export default function RolesPage() {
  const { t } = useTranslation('staff');
  const { query, roles, permissions } = useRoles();
  const wide = Grid.useBreakpoint().lg;
  const [chosen, setChosen] = useState<Role>('manager');
  const mark = (has: boolean) => (
    <>
      {has ? <Icon name="approve" size={18} className={styles.yes} /> : <span className={styles.no} aria-hidden>–</span>}
      <span className="visually-hidden">{t(has ? 'roles.yes' : 'roles.no')}</span>
    </>
  );
  return (
    <Page title={t('roles.title')}>
      <SettingsTabs />
      <Section>
        <p className="lead">{t('roles.lead')}</p>
        {query.error ? <ErrorState error={query.error} retry={() => void query.refetch()} />
          : query.isPending ? <Skeleton active paragraph={{ rows: 12 }} />
            : wide ? (
              <WideTable
                rowKey="name"
                dataSource={permissions}
                columns={[
                  { title: t('roles.permission'), key: 'permission', render: (_, p) => <>{p.label}<div className="quiet">{p.name}</div></> },
                  ...roles.map((r) => ({ title: r.label, key: r.name, align: 'center' as const, render: (_: unknown, p: (typeof permissions)[number]) => mark(p.roles.includes(r.name)) })),
                ]}
              />
            ) : (
              <>
                <ViewTabs label={t('roles.role')} value={chosen} onChange={setChosen} items={roles.map((r) => ({ key: r.name, label: r.label }))} />
                <ul className={styles.list}>
                  {permissions.map((p) => (
                    <li key={p.name} className={p.roles.includes(chosen) ? undefined : styles.without}>
                      {mark(p.roles.includes(chosen))}
                      <span>{p.label}<span className="quiet" style={{ display: 'block' }}>{p.name}</span></span>
                    </li>
                  ))}
                </ul>
              </>
            )}
      </Section>
    </Page>
  );
}
