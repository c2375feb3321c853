import { api, ok } from '@patron/shared/api/client.ts';
import type { PlanMembershipView, PlanView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { noon } from '@patron/shared/standing/date.ts';
import { StatusTag, type Tone } from '@patron/shared/ui/status-tag.tsx';
import { Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useFilters } from '../../ui/filters.ts';
import { KeysetTable } from '../../ui/keyset-table.tsx';

type Standing = Exclude<PlanMembershipView['standing'], ''>;

const tones: Record<Standing, Tone> = { trial: 'info', active: 'success', cancelled_at_end: 'plain', grace: 'warning', ended: 'plain' };

/** Who has the plan, or had it last. */
export function Members({ plan }: { plan: PlanView }) {
  const { t } = useTranslation('plan');
  const { day, count } = useFormat();
  const filters = useFilters(['standing'] as const);
  const standing = filters.values.standing as Standing | undefined;
  return (
    <KeysetTable<PlanMembershipView>
      name="plan-members"
      queryKey={['plans', 'members', plan.id, standing ?? '']}
      fetch={(cursor) => ok(api.GET('/v1/plans/{id}/members', { params: { path: { id: plan.id }, query: { standing, cursor, limit: 50 } } }))}
      rowKey={(m) => m.member_id}
      to={(m) => `/members/${m.member_id}/plan`}
      filtered={filters.active}
      onClear={filters.clear}
      empty={<p className="quiet">{t('members.empty')}</p>}
      filters={<Select allowClear style={{ width: 160 }} aria-label={t('members.standing')} placeholder={t('members.standing')} value={standing} options={(Object.keys(tones) as Standing[]).map((value) => ({ value, label: t(`standing.${value}`) }))} onChange={(value?: Standing) => filters.set({ standing: value })} />}
      columns={[
        { key: 'member', title: t('members.member'), render: (_, m) => <Link to={`/members/${m.member_id}/plan`}>{m.member_name || t('members.unnamed')}</Link> },
        { key: 'standing', title: t('members.standing'), render: (_, m) => m.standing && <StatusTag tone={tones[m.standing]}>{t(`standing.${m.standing}`)}</StatusTag> },
        { key: 'since', title: t('members.since'), align: 'right', render: (_, m) => m.started_on && day(noon(m.started_on)) },
        { key: 'last', title: t('members.last'), align: 'right', render: (_, m) => m.last_day && day(noon(m.last_day)) },
        { key: 'paid', title: t('members.paid'), align: 'right', render: (_, m) => count(m.periods_paid) },
      ]}
    />
  );
}
