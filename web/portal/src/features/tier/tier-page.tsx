import type { PortalOwnTier, TierRung } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { cardColors } from '@patron/shared/standing/card-colors.ts';
import { noon } from '@patron/shared/standing/date.ts';
import { TierMark, tierIcon } from '@patron/shared/standing/tier-mark.tsx';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { useMe } from '../../frame/me.ts';
import { Failed, Page, Skeleton, useNow } from '../../frame/parts.tsx';
import { NextTier } from '../../frame/next-tier.tsx';
import { tierQuery, useWords } from '../../frame/tier.ts';

/** One's tier, what it takes to keep it and to rise, and what each rung gives. */
export default function TierPage() {
  const { t } = useTranslation('tier');
  const own = useQuery(tierQuery);
  return (
    <Page title={t('title')} back="/">
      {own.isPending ? <Skeleton height={92} rows={4} />
        : own.isError && !own.data ? <section className="blk"><Failed error={own.error} retry={() => void own.refetch()} /></section>
          : own.data.length === 0 ? <Blank drawing="members" title={t('none')} />
            : own.data.map((s) => <Scheme key={s.scheme} own={s} several={own.data.length > 1} />)}
    </Page>
  );
}

function Scheme({ own: s, several }: { own: PortalOwnTier; several: boolean }) {
  const { t } = useTranslation('tier');
  const { named, day } = useFormat();
  const me = useMe();
  const words = useWords();
  const c = cardColors(s.tier?.color);
  const now = useNow(3_600_000);
  const over = s.until !== undefined && Date.parse(noon(s.until)) <= now;
  const keep = s.keep && !s.keep.evidence.met ? s.keep : undefined;
  const rungs = s.ladder ?? [];
  return (
    <>
      {several && <h2 className="head">{named({ name_en: s.scheme_name_en, name_zh: s.scheme_name_zh })}</h2>}
      <section className="tiercard" style={c && { background: c.ground, color: c.text }} aria-label={t('card')}>
        <p className="tiername"><Icon name={tierIcon(s.tier?.icon)} size={24} />{s.tier ? named(s.tier) : t('noTier')}</p>
        <p>{me.name}</p>
        <p className="tiernote">{[s.since && t('since', { day: day(noon(s.since)) }), s.until && !over ? t('held', { day: day(noon(s.until, -1)) }) : s.tier && !s.until && t('forever')].filter(Boolean).join(t('comma'))}</p>
      </section>
      {s.grace_until && over && <section className="blk soon"><Icon name="clock" /><span>{t('grace', { day: day(noon(s.grace_until, -1)) })}</span></section>}
      {s.next && <section className="blk"><NextTier progress={s.next} /></section>}
      {keep && s.until && <section className="blk"><p className="strong">{t('keep', { tier: named(keep.tier), day: day(noon(s.until, -1)) })}</p><p className="small">{words.lacks(keep.evidence)}</p></section>}
      <h2 className="head">{t('ladder')}</h2>
      <section className="blk list">
        {[...rungs].reverse().map((r) => <Rung key={r.code} rung={r} here={r.code === s.tier?.code} reached={r.rank <= (s.tier?.rank ?? 0)} />)}
      </section>
    </>
  );
}

function Rung({ rung: r, here, reached }: { rung: TierRung; here: boolean; reached: boolean }) {
  const { t } = useTranslation('tier');
  const { named } = useFormat();
  const words = useWords(r.currency);
  const gives = words.gives(r.benefits);
  return (
    <div className="row rung">
      <TierMark color={r.color} icon={r.icon} size={36} />
      <div>
        <p className="strong">{named(r)}{here && <span className="herenow"><Icon name="approve" size={14} />{t('here')}</span>}</p>
        {!reached && <p className="small">{words.asks({ ...(r.any && { any: true }), ...(r.spend && { spend: r.spend }), ...(r.visits && { visits: r.visits }), ...(r.growth && { growth: r.growth }) })}{r.window.kind === 'rolling' && t('window.rolling', { count: r.window.months ?? 0 })}{r.window.kind === 'calendar' && t(`window.${r.window.period ?? 'year'}`)}{r.window.kind === 'membership' && t('window.membership')}</p>}
        {gives.length > 0 ? <ul className="gives">{gives.map((g, i) => <li key={i}>{g}</li>)}</ul> : <p className="small">{t('nothing')}</p>}
      </div>
    </div>
  );
}
