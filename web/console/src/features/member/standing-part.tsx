import { api, ok } from '@patron/shared/api/client.ts';
import type { TierEvidence, TierHistoryView, TierProgress, TierStandingView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { noon } from '@patron/shared/standing/date.ts';
import { TierMark } from '@patron/shared/standing/tier-mark.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useActors, useTiers } from '../../frame/lookups.ts';
import { useCan } from '../../frame/me.ts';
import { ProgressBar, standingQuery, useTierWords } from '../../ui/standing.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { WideTable } from '../../ui/wide-table.tsx';
import { keyOf, type Member } from './api.ts';
import { More, useMore } from './more.tsx';
import { SetTier, Unlock } from './set-tier.tsx';
import part from './part.module.css';
import styles from './standing.module.css';

/** The column beside the wallets: the tier, and the next one in words with its bar. */
export function StandingColumn({ standing: s }: { standing: TierStandingView }) {
  const { t } = useTranslation('member');
  const { named } = useFormat();
  const here = s.tier ? named(s.tier) : t('standing.noneYet');
  return (
    <>
      <p className={styles.step}>{s.next ? t('standing.next', { from: here, to: named(s.next.tier) }) : t('standing.top')}</p>
      {s.next && <ProgressBar progress={s.next} />}
      <Term standing={s} />
    </>
  );
}

/** How long the tier is held. */
function Term({ standing: s }: { standing: TierStandingView }) {
  const { t } = useTranslation('member');
  const { day } = useFormat();
  const [now] = useState(Date.now);
  const parts: string[] = [];
  if (s.since) parts.push(t('standing.since', { day: day(noon(s.since)) }));
  const over = s.until !== undefined && Date.parse(noon(s.until)) <= now;
  if (s.tier && !over) parts.push(s.until ? t('standing.until', { day: day(noon(s.until, -1)) }) : t('standing.forever'));
  if (s.grace_until && over) parts.push(t('standing.grace', { day: day(noon(s.grace_until, -1)) }));
  return parts.length > 0 && <p className="quiet">{parts.join(t('comma'))}</p>;
}

/** Where the member stands in each ladder, why, and what colleagues may do about it. */
export function StandingPart({ member }: { member: Member }) {
  const standing = useQuery(standingQuery(member.id));
  const { t } = useTranslation('member');
  if (standing.error) return <ErrorState error={standing.error} retry={() => void standing.refetch()} />;
  if (!standing.data) return <Skeleton active paragraph={{ rows: 6 }} />;
  if (standing.data.length === 0) return <p className="quiet" style={{ padding: '16px 0' }}>{t('standing.none')}</p>;
  return (
    <>
      {standing.data.map((s) => <Standing key={s.scheme} member={member} standing={s} several={standing.data.length > 1} />)}
      <History member={member} several={standing.data.length > 1} />
    </>
  );
}

function Standing({ member, standing: s, several }: { member: Member; standing: TierStandingView; several: boolean }) {
  const { t } = useTranslation('member');
  const { named, day } = useFormat();
  const may = useCan()('members.manage') && !member.erased_at && !member.merged_into;
  const [open, setOpen] = useState<'set' | 'unlock'>();
  const words = useTierWords();
  const gives = words.gives(s.tier?.benefits);
  return (
    <section className={styles.standing}>
      <header className={styles.head}>
        <TierMark color={s.tier?.color} icon={s.tier?.icon} size={40} />
        <div className={styles.title}>
          <h2>{s.tier ? named(s.tier) : t('standing.noneYet')}{several && <span className="quiet">{named({ name_en: s.scheme_name_en, name_zh: s.scheme_name_zh })}</span>}</h2>
          <Term standing={s} />
        </div>
        {s.by_hand && !s.lock && <StatusTag tone="plain" icon="edit">{t('standing.hand')}</StatusTag>}
        {s.lock && <StatusTag tone="warning" icon="lock">{s.lock.until ? t('standing.lockedUntil', { day: day(noon(s.lock.until, -1)) }) : t('standing.locked')}</StatusTag>}
        {may && (
          <span className={styles.acts}>
            {s.lock && <Button size="small" onClick={() => setOpen('unlock')}>{t('standing.unlock.open')}</Button>}
            <Button size="small" onClick={() => setOpen('set')}>{t('standing.set.open')}</Button>
          </span>
        )}
      </header>
      {s.lock && <p className="quiet">{t('standing.reason', { reason: s.lock.reason })}</p>}
      <div className={styles.ways}>
        {s.next && <Way title={t('standing.toNext', { tier: named(s.next.tier) })} progress={s.next} said="before" />}
        {s.keep && <Way title={t('standing.toKeep', { tier: named(s.keep.tier) })} progress={s.keep} said="judged" />}
        {gives.length > 0 && <div><h3>{t('standing.gives')}</h3><ul className={styles.gives}>{gives.map((g, i) => <li key={i}>{g}</li>)}</ul></div>}
      </div>
      <SetTier open={open === 'set'} member={member} standing={s} onClose={() => setOpen(undefined)} />
      <Unlock open={open === 'unlock'} member={member} standing={s} onClose={() => setOpen(undefined)} />
    </section>
  );
}

function Way({ title, progress, said }: { title: string; progress: TierProgress; said: 'before' | 'judged' }) {
  const { t } = useTranslation('member');
  const { day } = useFormat();
  return (
    <div>
      <h3>{title}</h3>
      <ProgressBar progress={progress} />
      {progress.until && <p className="quiet">{t(`standing.${said}`, { day: day(noon(progress.until)) })}</p>}
    </div>
  );
}

function History({ member, several }: { member: Member; several: boolean }) {
  const { t } = useTranslation('member');
  const { day } = useFormat();
  const who = useActors();
  const tiers = useTiers();
  const list = useMore([...keyOf(member.id), 'tier-history'], (cursor) => ok(api.GET('/v1/members/{ref}/tier/history', { params: { path: { ref: member.id }, query: { cursor, limit: 20 } } })));
  const name = (scheme: string, code: string) => (code ? tiers.nameOf(code, scheme) : t('standing.noneYet'));
  return (
    <section>
      <div className={part.head}><h2>{t('standing.history')}</h2></div>
      <More list={list} empty={t('standing.noHistory')}>
        {(rows) => (
          <WideTable<TierHistoryView>
            className={part.table}
            rowKey={(h) => `${h.scheme} ${h.at} ${h.kind} ${h.to}`}
            dataSource={rows}
            columns={[
              { key: 'day', title: t('standing.day'), width: 110, render: (_, h) => day(noon(h.day)) },
              {
                key: 'change', title: t('standing.change'), width: 170,
                render: (_, h) => (
                  <>
                    <span className={part.what}>{t(`standing.kind.${h.kind}`)}</span>
                    <div className="quiet">{h.from === h.to ? name(h.scheme, h.to) : t('standing.next', { from: name(h.scheme, h.from), to: name(h.scheme, h.to) })}{several && t('comma') + tiers.schemeName(h.scheme)}</div>
                  </>
                ),
              },
              { key: 'why', title: t('standing.why'), className: part.why, render: (_, h) => <>{h.reason}{h.evidence && <div><Counted evidence={h.evidence} /></div>}{h.until && <div className="quiet">{t('standing.until', { day: day(noon(h.until, -1)) })}</div>}</> },
              { key: 'by', title: t('standing.by'), width: 96, className: part.by, render: (_, h) => who(h.actor) },
            ]}
          />
        )}
      </More>
    </section>
  );
}

/** What counted: the days, and what there was in them against what was asked. */
function Counted({ evidence: e }: { evidence: TierEvidence }) {
  const { t } = useTranslation('member');
  const { day } = useFormat();
  const words = useTierWords(e.parts?.find((p) => p.currency)?.currency);
  const parts = (e.parts ?? []).filter((p) => p.metric !== 'condition').map((p) => words.counted(p)).join(t('comma'));
  if (!parts) return null;
  return <>{e.from ? t('standing.counted', { from: day(noon(e.from)), to: day(noon(e.to)), parts }) : t('standing.countedAll', { to: day(noon(e.to)), parts })}</>;
}
