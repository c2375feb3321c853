import type { Permission } from '@patron/shared/api/permission.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useQuery } from '@tanstack/react-query';
import { Alert, Button, Dropdown, Skeleton } from 'antd';
import { useState, type ComponentType } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, NavLink, useParams } from 'react-router';
import type { Module } from '../../frame/feature.ts';
import { useCan, useUses } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { OffState } from '../../ui/off-state.tsx';
import { Section, WithAside } from '../../ui/section.tsx';
import { ErrorState, NotFoundState } from '../../ui/states.tsx';
import { Acts, useActs } from './acts.tsx';
import { memberQuery, type Member } from './api.ts';
import { AuditPart } from './audit-part.tsx';
import { BenefitsPart } from './benefits-part.tsx';
import { ContactPart } from './contact-part.tsx';
import { Head } from './head.tsx';
import { LedgerPart } from './ledger-part.tsx';
import styles from './member-page.module.css';
import { OpenTasks } from './open-tasks.tsx';
import { OffersPart } from './offers-part.tsx';
import { PlanPart } from './plan-part.tsx';
import { plansQuery } from './plans.ts';
import { PrivacyPart } from './privacy-part.tsx';
import { SalesPart } from './sales-part.tsx';
import { StandingPart } from './standing-part.tsx';
import { TasksPart } from './tasks-part.tsx';
import { Recent, TimelinePart } from './timeline-part.tsx';
import { Wallets } from './wallets.tsx';
import { storesQuery } from '../../frame/lookups.ts';
import { standingQuery } from '../../ui/standing.tsx';

interface Part {
  key: 'ledger' | 'sales' | 'standing' | 'plan' | 'offers' | 'benefits' | 'timeline' | 'notes' | 'tasks' | 'privacy' | 'audit';
  needs: Permission;
  module?: Module;
  view: ComponentType<{ member: Member }>;
}

/** The parts of the page, each at its own address; the first one is the page's. */
const parts: Part[] = [
  { key: 'ledger', needs: 'points.read', view: LedgerPart },
  { key: 'sales', needs: 'sales.read', view: SalesPart },
  { key: 'standing', needs: 'members.read', view: StandingPart },
  { key: 'plan', needs: 'members.read', view: PlanPart },
  { key: 'offers', needs: 'members.read', view: OffersPart },
  { key: 'benefits', needs: 'members.read', view: BenefitsPart },
  { key: 'timeline', needs: 'members.read', view: TimelinePart },
  { key: 'notes', needs: 'members.read', view: ContactPart },
  { key: 'tasks', needs: 'members.read', module: 'tasks', view: TasksPart },
  { key: 'privacy', needs: 'members.read', view: PrivacyPart },
  { key: 'audit', needs: 'audit.read', view: AuditPart },
];

/** All that is known of one member, and what can be done for them. */
export default function MemberPage() {
  const { t } = useTranslation('member');
  const { ref = '' } = useParams();
  const one = useQuery(memberQuery(ref));
  const member = one.data;
  const standing = useQuery({ ...standingQuery(member?.id ?? ''), enabled: !!member }).isPending;
  const naming = useQuery(storesQuery).isPending; // the head names a store: it would grow a line later
  if (member && !naming && !standing) return <Known key={member.id} member={member} at={ref} />;
  const missing = one.error && 'status' in one.error && (one.error.status === 404 || one.error.status === 422);
  return (
    <Page title={t('one')} crumbs={[{ to: '/members', title: t('menu') }]}>
      <Section>{missing ? <NotFoundState /> : one.error ? <ErrorState error={one.error} retry={() => void one.refetch()} /> : <Skeleton active avatar={{ size: 64 }} paragraph={{ rows: 6 }} />}</Section>
    </Page>
  );
}

function Known({ member, at }: { member: Member; at: string }) {
  const { t } = useTranslation('member');
  const can = useCan();
  const { part } = useParams();
  const [phone, setPhone] = useState(false); // shown whole
  const acts = useActs(member);
  const uses = useUses();
  const allowed = parts.filter((p) => can(p.needs));
  const sold = !!useQuery(plansQuery).data?.items?.length; // without plans there is nothing to say of them
  const shown = allowed.filter((p) => uses(p.module) && (p.key !== 'plan' || sold));
  const here = allowed.find((p) => p.key === part) ?? (part === undefined ? shown[0] : undefined);
  const View = here?.view;
  return (
    <Page
      title={member.name || member.number}
      crumbs={[{ to: '/members', title: t('menu') }]}
      actions={
        <>
          {acts.buttons.map((a) => <Button key={a.key} icon={a.icon && <Icon name={a.icon} size={18} />} onClick={a.onClick}>{a.label}</Button>)}
          {acts.more.length > 0 && (
            <Dropdown trigger={['click']} placement="bottomRight" menu={{ items: acts.more }}>
              <Button icon={<Icon name="more" />} aria-label={t('acts.more')} />
            </Dropdown>
          )}
        </>
      }
    >
      {member.merged_into && <Alert type="warning" showIcon banner title={<>{t('mergedInto')} <Link to={`/members/${member.merged_into}`}>{t('toSurvivor')}</Link></>} />}
      {member.erased_at && <Alert type="info" showIcon banner title={t('erased')} />}
      <Head member={member} phone={phone} onPhone={() => setPhone(!phone)} />
      <Wallets member={member} />
      <WithAside
        width={312}
        aside={
          <>
            {uses('tasks') && <OpenTasks member={member} to={`/members/${at}/tasks`} />}
            <Section title={t('recent.title')}><Recent member={member} to={`/members/${at}/timeline`} /></Section>
          </>
        }
      >
        <section className={styles.parts}>
          <nav className={styles.tabs} aria-label={t('parts')}>
            {shown.map((p, i) => (
              <NavLink key={p.key} to={i === 0 ? `/members/${at}` : `/members/${at}/${p.key}`} end aria-current={p === here ? 'page' : undefined} className={p === here ? styles.here : undefined} replace>
                {t(`part.${p.key}`)}
              </NavLink>
            ))}
          </nav>
          {!here || !View ? <NotFoundState /> : here.module && !uses(here.module) ? <OffState module={here.module} /> : <View member={member} />}
        </section>
      </WithAside>
      <Acts member={member} acts={acts} />
    </Page>
  );
}
