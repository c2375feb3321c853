import type { TierLadderView, TierSchemeView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { TierMark } from '@patron/shared/standing/tier-mark.tsx';
import { useStandingWords } from '@patron/shared/standing/words.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { tiersQuery, useCurrencies } from '../../frame/lookups.ts';
import { programQuery, useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { Section } from '../../ui/section.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { schemesQuery } from './api.ts';
import { schemeInWords } from './scheme.ts';
import styles from './tiers-page.module.css';

/** The ladders of the programme, and how many members stand on each rung. */
export default function TiersPage() {
  const { t } = useTranslation('tier');
  const may = useCan()('rules.write');
  const navigate = useNavigate();
  const schemes = useQuery(schemesQuery);
  const ladders = useQuery(tiersQuery);
  const items = schemes.data?.items ?? [];
  const none = schemes.data !== undefined && items.length === 0; // then the empty page has the button
  const add = may && <Button type={none ? 'primary' : 'default'} icon={<Icon name="plus" size={18} />} onClick={() => void navigate('/tiers/new')}>{t('add')}</Button>;
  return (
    <Page title={t('menu')} actions={!none && add}>
      {schemes.error ? <Section><ErrorState error={schemes.error} retry={() => void schemes.refetch()} /></Section>
        : !schemes.data ? <Section><Skeleton active paragraph={{ rows: 8 }} /></Section>
          : items.length === 0 ? <Section><Blank drawing="members" title={t('empty.title')} text={t('empty.text')} action={add} /></Section>
            : items.map((s) => <Ladder key={s.code} scheme={s} counted={ladders.data?.items?.find((l) => l.scheme === s.code)} />)}
    </Page>
  );
}

function Ladder({ scheme, counted }: { scheme: TierSchemeView; counted: TierLadderView | undefined }) {
  const { t } = useTranslation('tier');
  const { named, count, percent, when } = useFormat();
  const money = useQuery(programQuery).data?.currency;
  const currencies = useCurrencies();
  const shown = scheme.live ?? scheme.draft;
  const words = useStandingWords({ money, decimals: shown?.currency ? currencies.decimalsOf(shown.currency) : 0 });
  if (!shown) return null;
  const all = counted?.members || 1;
  const rungs = [...(shown.tiers ?? [])].reverse();
  return (
    <Section
      title={named(shown)}
      note={<State scheme={scheme} />}
      extra={<Link to={`/tiers/${scheme.code}`}>{t('open')}</Link>}
    >
      <p className="lead">{schemeInWords(t, shown).join(t('words.join'))}{t('words.end')}</p>
      <ol className={styles.ladder}>
        {rungs.map((tier) => {
          const n = counted?.tiers?.find((c) => c.code === tier.code)?.members;
          return (
            <li key={tier.code} className={styles.rung}>
              <TierMark color={tier.color} icon={tier.icon} size={32} />
              <div className={styles.what}>
                <b>{named(tier)}</b>
                <span className="quiet">{words.asks(tier.qualify)}</span>
              </div>
              <span className={styles.gives}>{words.gives(tier.benefits).join(t('words.join')) || t('noBenefits')}</span>
              <span className={styles.bar} aria-hidden><i style={{ width: `${n ? Math.max(1, (n / all) * 100) : 0}%`, background: tier.color || 'var(--c1)' }} /></span>
              <span className={styles.n}>
                {n === undefined ? '' : scheme.live?.main ? <Link to={`/members?tier=${encodeURIComponent(tier.code)}`} title={t('seeMembers', { name: named(tier) })}>{t('people', { count: n, n: count(n) })}</Link> : t('people', { count: n, n: count(n) })}
                {n !== undefined && <span className="quiet">{percent(n / all)}</span>}
              </span>
            </li>
          );
        })}
      </ol>
      {counted && <p className="quiet">{counted.none > 0 && `${t('none', { count: counted.none, n: count(counted.none) })} `}{t('countedAt', { when: when(counted.counted_at) })}</p>}
    </Section>
  );
}

export function State({ scheme: s }: { scheme: Pick<TierSchemeView, 'state' | 'live' | 'draft' | 'version'> }) {
  const { t } = useTranslation('tier');
  return (
    <span className={styles.states}>
      {s.state === 'live' && <StatusTag tone="success">{t('state.live', { version: s.version })}</StatusTag>}
      {s.state === 'ended' && <StatusTag tone="plain">{t('state.ended')}</StatusTag>}
      {s.state !== 'ended' && s.draft && <StatusTag tone="warning" icon="edit">{t('state.draft')}</StatusTag>}
      {s.live?.main && <StatusTag tone="primary">{t('state.main')}</StatusTag>}
    </span>
  );
}
