import { api, ok } from '@patron/shared/api/client.ts';
import type { TierMove, TierResult, TierScheme, TierSchemeView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useQuery } from '@tanstack/react-query';
import { Button, Progress, Segmented } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Amount } from '../../ui/amount.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import styles from './what-if.module.css';

/** Works out, before anything is kept, who would move and what it would cost. */
export function WhatIf({ scheme, stored }: { scheme: TierScheme; stored: TierSchemeView | undefined }) {
  const { t } = useTranslation('tier');
  const { count } = useFormat();
  const [tried, setTried] = useState<{ id: string; of: string }>();
  const ask = useWrite((draft: TierScheme, key) => ok(api.POST('/v1/tiers/what-if', { body: { scheme: stored?.code ?? draft.code, draft }, params: { header: { 'Idempotency-Key': key } } })), {
    onSuccess: (out) => setTried({ id: out.id, of: JSON.stringify(scheme) }),
  });
  const answer = useQuery({
    queryKey: ['tier-try', tried?.id],
    enabled: tried !== undefined,
    staleTime: Infinity,
    queryFn: () => ok(api.GET('/v1/tiers/what-if/{id}', { params: { path: { id: tried!.id } } })),
    refetchInterval: (q) => (q.state.data?.state === 'running' || !q.state.data ? 800 : false),
  });
  const running = ask.isPending || (tried !== undefined && (answer.isPending || answer.data?.state === 'running'));
  const old = tried !== undefined && tried.of !== JSON.stringify(scheme);
  const a = answer.data;
  return (
    <div className={styles.try}>
      <ProblemAlert error={ask.error ?? answer.error} />
      <Button className={styles.go} loading={running} onClick={() => ask.mutate(scheme)}>{a?.state === 'done' && old ? t('try.again') : t('try.go')}</Button>
      {running && a && a.total > 0 && <Progress percent={Math.round((a.progress / a.total) * 100)} format={() => t('try.progress', { done: count(a.progress), all: count(a.total) })} size="small" aria-label={t('try.running')} />}
      {a?.state === 'failed' && <p>{t('try.failed')}</p>}
      {a?.result && <Outcome result={a.result} scheme={scheme} live={stored?.live} old={old} />}
    </div>
  );
}

type View = 'now' | 'settled';

function Outcome({ result, scheme, live, old }: { result: TierResult; scheme: TierScheme; live: TierScheme | undefined; old: boolean }) {
  const { t } = useTranslation('tier');
  const { count } = useFormat();
  const [view, setView] = useState<View>('now');
  const moves = result[view] ?? [];
  const rank = rankOf(scheme, live);
  const moved = (up: boolean) => moves.filter((m) => (up ? rank(m.to) > rank(m.from) : rank(m.to) < rank(m.from))).reduce((sum, m) => sum + m.members, 0);
  const bonuses = result.bonuses ?? [];
  const multipliers = (result.multipliers ?? []).filter((c) => c.amount !== 0);
  return (
    <div className={styles.outcome} data-old={old || undefined} aria-live="polite">
      {old && <p className="quiet">{t('try.old')}</p>}
      <Segmented<View> block value={view} onChange={setView} options={[{ value: 'now', label: t('try.now') }, { value: 'settled', label: t('try.settled') }]} aria-label={t('try.when')} />
      <p className={styles.said}>{moved(true) + moved(false) === 0 ? t('try.nobody') : t('try.said', { up: count(moved(true)), down: count(moved(false)), all: count(result.members) })}</p>
      <p className="quiet">{t(`try.${view}Help`)}</p>
      <Matrix moves={moves} scheme={scheme} live={live} rank={rank} />
      <Samples moves={moves} />
      <h3>{t('try.cost')}</h3>
      <dl className={styles.cost}>
        {bonuses.map((c) => <div key={`b${c.currency}`}><dt>{t('try.bonus', { count: c.members, n: count(c.members) })}</dt><dd><Amount amount={c.amount} currency={c.currency} /></dd></div>)}
        {multipliers.map((c) => <div key={`m${c.currency}`}><dt>{t('try.multiplier')}</dt><dd><Amount amount={c.amount} currency={c.currency} signed /></dd></div>)}
        {bonuses.length + multipliers.length === 0 && <div><dt>{t('try.noCost')}</dt></div>}
      </dl>
    </div>
  );
}

const rankOf = (scheme: TierScheme, live: TierScheme | undefined) => {
  const tiers = [...(live?.tiers ?? []), ...(scheme.tiers ?? [])];
  return (code: string) => {
    const i = (scheme.tiers ?? []).findIndex((tier) => tier.code === code);
    return i >= 0 ? i + 1 : code === '' ? 0 : Math.max(0.5, tiers.findIndex((tier) => tier.code === code));
  };
};

/** From each tier to each: the diagonal is who stay. */
function Matrix({ moves, scheme, live, rank }: { moves: TierMove[]; scheme: TierScheme; live: TierScheme | undefined; rank: (code: string) => number }) {
  const { t } = useTranslation('tier');
  const { named, count } = useFormat();
  const all = [...(scheme.tiers ?? []), ...(live?.tiers ?? [])];
  const name = (code: string) => {
    const tier = all.find((one) => one.code === code);
    return tier ? named(tier) : code || t('try.none');
  };
  const codes = (of: 'from' | 'to') => [...new Set([...moves.map((m) => m[of]), ...(of === 'to' ? (scheme.tiers ?? []).map((tier) => tier.code) : [])])].sort((a, b) => rank(a) - rank(b));
  const from = codes('from');
  const to = codes('to');
  if (moves.length === 0) return null;
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- a region that scrolls must be reached by keyboard
    <div className={styles.scroll} role="region" aria-label={t('try.matrix')} tabIndex={0}>
      <table className={styles.matrix}>
        <thead><tr><th scope="col">{t('try.fromTo')}</th>{to.map((code) => <th key={code} scope="col">{name(code)}</th>)}</tr></thead>
        <tbody>
          {from.map((a) => (
            <tr key={a}>
              <th scope="row">{name(a)}</th>
              {to.map((b) => {
                const n = moves.find((m) => m.from === a && m.to === b)?.members ?? 0;
                return <td key={b} className={n === 0 ? styles.zero : a === b ? styles.stay : styles.move}>{n === 0 ? '–' : count(n)}</td>;
              })}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** A few of those who move, to look at. */
function Samples({ moves }: { moves: TierMove[] }) {
  const { t } = useTranslation('tier');
  const some = moves.filter((m) => m.from !== m.to).flatMap((m) => m.sample ?? []).slice(0, 5);
  if (some.length === 0) return null;
  return <p className="quiet">{t('try.sample')} {some.map((id, i) => <span key={id}>{i > 0 && t('comma')}<Link className="inline" to={`/members/${id}/standing`} target="_blank">{t('try.member', { n: i + 1 })}</Link></span>)}</p>;
}
