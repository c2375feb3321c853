import { api, ok } from '@patron/shared/api/client.ts';
import type { OfferInstanceView2 } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { TierMark } from '@patron/shared/standing/tier-mark.tsx';
import { StatusTag, type Tone } from '@patron/shared/ui/status-tag.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, Progress } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useCan } from '../../frame/me.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { useAmountText } from '../../ui/use-amount-text.ts';
import { WideTable } from '../../ui/wide-table.tsx';
import { keyOf, type Member } from './api.ts';
import { More, useMore } from './more.tsx';
import part from './part.module.css';

const tones: Record<OfferInstanceView2['state'], Tone> = { available: 'plain', received: 'info', viewed: 'info', progressing: 'info', completed: 'warning', rewarded: 'success', expired: 'plain', cancelled: 'plain' };

/** What a member has of offers, with progress; and the badges that they have won. */
export function OffersPart({ member }: { member: Member }) {
  const { t } = useTranslation('member');
  const { named, money, count, deadline } = useFormat();
  const amountText = useAmountText();
  const may = useCan()('rules.write') && !member.erased_at;
  const [taking, setTaking] = useState<OfferInstanceView2>();
  const list = useMore([...keyOf(member.id), 'offers'], (cursor) => ok(api.GET('/v1/members/{ref}/offers', { params: { path: { ref: member.id }, query: { cursor, limit: 20 } } })));
  const badges = useQuery({ queryKey: [...keyOf(member.id), 'badges'], queryFn: () => ok(api.GET('/v1/members/{ref}/badges', { params: { path: { ref: member.id } } })) }).data?.items ?? [];
  const cancel = useWrite((instance: string, key) => ok(api.POST('/v1/members/{ref}/offers/{instance}/cancel', { params: { path: { ref: member.id, instance }, header: { 'Idempotency-Key': key } } })), {
    invalidates: [['member'], ['offers']],
    onSuccess: () => setTaking(undefined),
  });
  const open = (o: OfferInstanceView2) => ['received', 'viewed', 'progressing'].includes(o.state);
  const amount = (o: OfferInstanceView2, n: number) => (o.progress.unit === 'money' && o.progress.currency ? money(n, o.progress.currency, { trim: true }) : count(n));
  return (
    <>
      {badges.length > 0 && (
        <section style={{ marginBottom: 12 }}>
          <div className={part.head}><h2>{t('offers.badges')}</h2></div>
          <ul style={{ display: 'flex', flexWrap: 'wrap', gap: '8px 20px' }}>{badges.map((b) => <li key={b.id} style={{ display: 'flex', gap: 8, alignItems: 'center' }}><TierMark color={b.color} icon={b.icon} or="star" />{named(b)}{b.times > 1 && <span className="quiet">× {count(b.times)}</span>}</li>)}</ul>
        </section>
      )}
      <More list={list} empty={t('offers.empty')}>
        {(rows) => (
          <WideTable<OfferInstanceView2>
            className={part.table}
            rowKey={(o) => o.id ?? o.offer_id}
            dataSource={rows}
            columns={[
              { key: 'name', title: t('offers.name'), className: part.what, render: (_, o) => <>{o.name}{o.counts_until && open(o) && <div className="quiet">{t('offers.until', { day: deadline(o.counts_until) })}</div>}</> },
              { key: 'progress', title: t('offers.progress'), width: 200, render: (_, o) => <>{<Progress percent={o.progress.percent} size="small" showInfo={false} aria-label={o.name} />}<div className="quiet">{amount(o, o.progress.done)} / {amount(o, o.progress.all)}</div></> },
              { key: 'reward', title: t('offers.reward'), render: (_, o) => [o.reward.amount && o.reward.currency ? amountText(o.reward.amount, o.reward.currency) : '', o.reward.badge ? named(o.reward.badge) : ''].filter(Boolean).join(t('comma')) },
              { key: 'state', title: t('offers.state'), width: 120, render: (_, o) => <StatusTag tone={tones[o.state]}>{t(`offers.states.${o.state}`)}</StatusTag> },
              ...(may ? [{ key: 'act', title: '', width: 72, align: 'right' as const, render: (_: unknown, o: OfferInstanceView2) => o.id && open(o) && <Button type="link" size="small" onClick={() => setTaking(o)}>{t('offers.cancel.open')}</Button> }] : []),
            ]}
          />
        )}
      </More>
      <ConfirmDialog open={taking !== undefined} danger title={taking ? t('offers.cancel.title', { name: taking.name }) : ''} act={t('offers.cancel.act')} cancel={t('offers.cancel.not')} pending={cancel.isPending} error={cancel.error} onOk={() => taking?.id && cancel.mutate(taking.id)}
        onCancel={() => {
          cancel.reset();
          setTaking(undefined);
        }}
      >
        <p>{t('offers.cancel.what')}</p>
      </ConfirmDialog>
    </>
  );
}
