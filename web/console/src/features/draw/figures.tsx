import { api, ok } from '@patron/shared/api/client.ts';
import type { DrawPlayView, DrawView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useCan } from '../../frame/me.ts';
import { Amount } from '../../ui/amount.tsx';
import { KeysetTable } from '../../ui/keyset-table.tsx';
import { Section } from '../../ui/section.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { WideTable } from '../../ui/wide-table.tsx';
import styles from './draw-page.module.css';

/** What a draw came to: prizes given against those that were to be expected. */
export function Figures({ draw }: { draw: DrawView }) {
  const { t } = useTranslation('draw');
  const { count, named } = useFormat();
  const found = useQuery({ queryKey: ['draws', 'figures', draw.id], queryFn: () => ok(api.GET('/v1/draws/{id}/figures', { params: { path: { id: draw.id } } })) });
  if (found.error) return <ErrorState error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton active />;
  const f = found.data;
  const nameOf = (code: string) => (code === '' ? t('nothing') : named(draw.prizes?.find((p) => p.code === code) ?? { name_en: code }));
  return (
    <>
      <dl className={styles.facts}>
        {(['plays', 'members', 'free', 'guaranteed', 'owed'] as const).map((k) => <div key={k}><dt>{t(`figures.${k}`)}</dt><dd>{count(f[k])}</dd></div>)}
        {(f.paid ?? []).map((c) => <div key={c.currency}><dt>{t('figures.paid')}</dt><dd><Amount amount={c.amount} currency={c.currency} /></dd></div>)}
        <div><dt>{t('figures.worth')}</dt><dd>{count(f.worth)}</dd></div>
        {f.budget_left !== undefined && <div><dt>{t('figures.budgetLeft')}</dt><dd>{count(f.budget_left)}</dd></div>}
      </dl>
      <WideTable rowKey="code" size="small" dataSource={f.prizes ?? []} columns={[
        { title: t('figures.prize'), render: (_, p) => nameOf(p.code) },
        { title: t('figures.given'), align: 'right', render: (_, p) => count(p.given) },
        { title: t('figures.expected'), align: 'right', render: (_, p) => p.expected.toFixed(1) },
        { title: t('figures.left'), align: 'right', render: (_, p) => (p.left === undefined ? '' : count(p.left)) },
      ]} />
      <p className="quiet">{t('figures.note')}</p>
    </>
  );
}

/** The epochs with their hashes, and where anybody can check them. */
export function Epochs({ draw }: { draw: DrawView }) {
  const { t } = useTranslation('draw');
  const format = useFormat();
  const found = useQuery({ queryKey: ['draws', 'epochs', draw.id], queryFn: () => ok(api.GET('/portal/v1/draws/{id}/epochs', { params: { path: { id: draw.id }, query: { limit: 6 } } })) });
  if (found.error) return <ErrorState error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton active />;
  return (
    <>
      <p className="quiet">{t('check.text')}</p>
      {(found.data.items ?? []).map((e) => (
        <div key={e.epoch} style={{ marginTop: 10 }}>
          <b>{t('check.epoch', { epoch: e.epoch, when: format.when(e.from) })}</b> {e.closed_at ? <a href={`/portal/draws/${draw.code}/check/${e.epoch}`} target="_blank" rel="noreferrer">{t('check.go', { count: e.plays })}</a> : <span className="quiet">{t('check.open')}</span>}
          <div className={styles.hash}>{e.hash}</div>
        </div>
      ))}
      <p className="quiet" style={{ marginTop: 10 }}>{t('check.command')}</p>
      <code className={styles.hash}>patron draw verify --draw {draw.code}</code>
    </>
  );
}

/** Who played, the newest first. */
export function Plays({ draw }: { draw: DrawView }) {
  const { t } = useTranslation('draw');
  const format = useFormat();
  if (!useCan()('members.read')) return null;
  return (
    <Section title={t('plays.title')}>
      <KeysetTable<DrawPlayView>
        name="draw-plays"
        queryKey={['draws', 'plays', draw.id]}
        fetch={(cursor) => ok(api.GET('/v1/draws/{id}/plays', { params: { path: { id: draw.id }, query: { cursor, limit: 20 } } }))}
        rowKey={(p) => p.id}
        empty={<p className="quiet">{t('plays.none')}</p>}
        columns={[
          { key: 'member', title: t('plays.member'), render: (_, p) => <Link to={`/members/${p.member_id}`}>{p.member_name || t('plays.unnamed')}</Link> },
          { key: 'prize', title: t('plays.prize'), render: (_, p) => (p.won ? format.named({ name_en: p.prize_name_en, name_zh: p.prize_name_zh }) : <span className="quiet">{t('nothing')}</span>) },
          { key: 'handed', title: t('plays.handed'), render: (_, p) => (p.handed_out_at ? <When at={p.handed_out_at} /> : p.kind === 'thing' || p.owed ? t('plays.waits') : '') },
          { key: 'paid', title: t('plays.paid'), align: 'right', render: (_, p) => (p.paid && p.paid_in ? <Amount amount={p.paid} currency={p.paid_in} /> : t('plays.free')) },
          { key: 'number', title: t('plays.number'), align: 'right', render: (_, p) => `${p.epoch} / ${p.line.n}` },
          { key: 'at', title: t('plays.at'), align: 'right', render: (_, p) => <When at={p.at} /> },
        ]}
      />
    </Section>
  );
}
