import { api, ok } from '@patron/shared/api/client.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Points } from '@patron/shared/ui/points.tsx';
import { StatusTag, type Tone } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { App, Button, Modal } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useActors, useCurrencies } from '../../frame/lookups.ts';
import { useCan, useMe } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { useFilters } from '../../ui/filters.ts';
import { KeysetTable, type KeysetColumn } from '../../ui/keyset-table.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { Section } from '../../ui/section.tsx';
import { ViewTabs } from '../../ui/view-tabs.tsx';

const states = ['waiting', 'approved', 'rejected', 'withdrawn', 'expired'] as const;
type State = (typeof states)[number];

const get = (state: State, cursor: string | undefined) => ok(api.GET('/v1/approvals', { params: { query: { state, cursor, limit: 50 } } }));
type Approval = NonNullable<Awaited<ReturnType<typeof get>>['items']>[number];
type Act = 'approve' | 'reject' | 'withdraw';

const tones: Record<State, Tone> = { waiting: 'warning', approved: 'success', rejected: 'error', withdrawn: 'plain', expired: 'plain' };

/** The inbox of the second person. Nobody decides on what they asked for themselves: they may take it back. */
export default function ApprovalsPage() {
  const { t } = useTranslation('approval');
  const { named } = useFormat();
  const filters = useFilters(['state'] as const);
  const state = (filters.values.state ?? 'waiting') as State;
  const currencies = useCurrencies();
  const actor = useActors();
  const me = useMe();
  const may = useCan()('points.approve');
  const [act, setAct] = useState<{ act: Act; on: Approval }>();

  const columns: KeysetColumn<Approval>[] = [
    { key: 'what', title: t('column.what'), render: (_, a) => named({ name_en: a.label_en, name_zh: a.label_zh }) },
    { key: 'member', title: t('column.member'), render: (_, a) => a.member_id && <Link to={`/members/${a.member_id}`}>{t('toMember')}</Link> },
    { key: 'amount', near: true, title: t('column.amount'), align: 'right', render: (_, a) => a.amount !== undefined && a.currency && <Points amount={a.amount} decimals={currencies.decimalsOf(a.currency)} signed /> },
    { key: 'reason', title: t('column.reason'), render: (_, a) => a.reason },
    { key: 'asked', title: t('column.asked'), render: (_, a) => <>{actor(a.asked_by)} · <When at={a.asked_at} /></> },
    state === 'waiting'
      ? { key: 'until', title: t('column.until'), render: (_, a) => a.expires_at && <When at={a.expires_at} as="deadline" /> }
      : { key: 'decided', title: t('column.decided'), render: (_, a) => a.decided_at && <>{actor(a.decided_by)} · <When at={a.decided_at} /></> },
    state === 'waiting'
      ? {
          key: 'act',
          near: true,
          title: t('column.act'),
          render: (_, a) => {
            const own = a.asked_by === `staff:${me.id}`;
            if (own) return <Button size="small" onClick={() => setAct({ act: 'withdraw', on: a })}>{t('withdraw.open')}</Button>;
            if (!may) return <span className="quiet">{t('notYou')}</span>;
            return (
              <span style={{ display: 'flex', flexWrap: 'wrap', gap: 8, maxWidth: 'max(30vw, 96px)' }}>
                <Button size="small" onClick={() => setAct({ act: 'approve', on: a })}>{t('approve.open')}</Button>
                <Button size="small" danger onClick={() => setAct({ act: 'reject', on: a })}>{t('reject.open')}</Button>
              </span>
            );
          },
        }
      : { key: 'state', near: true, title: t('column.state'), render: (_, a) => <StatusTag tone={tones[a.state]}>{t(`state.${a.state}`)}</StatusTag> },
  ];
  return (
    <Page title={t('menu')}>
      <Section>
        <ViewTabs label={t('column.state')} value={state} onChange={(next) => filters.set({ state: next === 'waiting' ? undefined : next })} items={states.map((key) => ({ key, label: t(`state.${key}`) }))} />
        <KeysetTable<Approval>
          name="approvals"
          queryKey={['approvals', state]}
          fetch={(cursor) => get(state, cursor)}
          columns={columns}
          rowKey={(a) => a.id}
          empty={<Blank drawing="result" title={t(`empty.${state}`)} text={t('emptyText')} />}
        />
      </Section>
      <Decide what={act} onClose={() => setAct(undefined)} />
    </Page>
  );
}

function Decide({ what, onClose }: { what: { act: Act; on: Approval } | undefined; onClose: () => void }) {
  const { t } = useTranslation('approval');
  const { points } = useFormat();
  const { message } = App.useApp();
  const currencies = useCurrencies();
  const write = useWrite(
    ({ act, id }: { act: Act; id: string }, key) => ok(api.POST(`/v1/approvals/{id}/${act}`, { params: { path: { id }, header: { 'Idempotency-Key': key } } })),
    {
      invalidates: [['approvals'], ['attention'], ['member']],
      onSuccess: (out) => {
        onClose();
        void message.success(t(`done.${out.approval.state}`));
      },
    },
  );
  const [last, setLast] = useState(what);
  if (what && what !== last) setLast(what); // the dialog closes with what it showed
  const shown = what ?? last;
  const figure = shown?.on.amount !== undefined && shown.on.currency ? points(shown.on.amount, { decimals: currencies.decimalsOf(shown.on.currency), signed: true }) : '';
  const texts: Record<Act, [string, string]> = {
    approve: [t('approve.title', { figure }), t('approve.act', { figure })],
    reject: [t('reject.title', { figure }), t('reject.act')],
    withdraw: [t('withdraw.title', { figure }), t('withdraw.act')],
  };
  const [title, ok_] = shown ? texts[shown.act] : ['', ''];
  return (
    <Modal
      open={what !== undefined}
      title={title}
      okText={ok_}
      cancelText={t('cancel')}
      okButtonProps={{ danger: shown?.act === 'reject', loading: write.isPending }}
      onOk={() => what && write.mutate({ act: what.act, id: what.on.id })}
      onCancel={onClose}
      afterClose={write.reset}
      width={460}
    >
      <ProblemAlert error={write.error} />
      <p>{shown && t('reasonWas', { reason: shown.on.reason })}</p>
    </Modal>
  );
}
