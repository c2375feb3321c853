import type { SaleTrace } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useRuleNames, useTiers } from '../frame/lookups.ts';
import { programQuery, useCan } from '../frame/me.ts';
import { Amount } from './amount.tsx';
import styles from './rule-trace.module.css';

/** Where what gave points is looked after, by the word before the colon of its name; points granted to many have no page. */
const homes: Record<string, string | undefined> = { tier: '/tiers', plan: '/plans', offer: '/offers', leaderboard: '/offers/play', 'check-in': '/offers/play', grant: undefined };

/**
 * What gave points, as an entry or a lot names it: a rule as code@version, the settings' own as `base`, or what a tier, a plan,
 * an offer or a leaderboard gave, as tier:code; the bonus of a tier as tier:scheme/code. The daily check-in and grants have no code.
 */
export function RuleLink({ rule, name }: { rule: string; name?: string }) {
  const { t } = useTranslation('ui');
  const may = useCan()('rules.read');
  const nameOf = useRuleNames();
  const tiers = useTiers();
  const [code, version] = rule.split('@');
  if (code === 'base' || !code) return <>{name || t('trace.base')}</>;
  const [kind, of] = code.split(':');
  const other = kind !== undefined && kind in homes && (of !== undefined || kind === 'check-in' || kind === 'grant');
  const [scheme, tier] = of?.includes('/') ? of.split('/') : [undefined, of];
  const shown = other ? t(`trace.of.${kind}`, { name: name || (kind === 'tier' ? tiers.nameOf(tier!, scheme) : of) }) : name || nameOf(code);
  const home = other ? homes[kind] : `/rules/${code}`;
  return <>{may && home ? <Link className="inline" to={home}>{shown}</Link> : shown}{version && <span className={styles.version}>{t('trace.version', { version })}</span>}</>;
}

/** How points came about, rule by rule in the order of deciding: what held, what it gave, why not. The code of a draft stands out. */
export function RuleTrace({ decisions, draft }: { decisions: SaleTrace[]; draft?: string }) {
  const { t } = useTranslation('ui');
  const { language, named, money } = useFormat();
  const own = useQuery(programQuery).data?.currency;
  const zh = language === 'zh-CN';
  return (
    <ol className={styles.trace}>
      {decisions.map((d, i) => {
        const base = d.rule === 'base';
        const mine = draft !== undefined && d.rule.split('@')[0] === draft;
        const why = (zh ? d.why_zh : d.why_en) || (base && own && d.basis !== undefined ? t('trace.basis', { sum: money(d.basis, own) }) : d.result);
        const look = d.outcome === 'given' || (base && d.amount) ? 'yes' : d.outcome === 'capped' ? 'cut' : d.outcome === 'failed' ? 'bad' : 'no';
        return (
          <li key={`${d.rule}${i}`}>
            <span className={styles.mark} data-look={look}><Icon name={look === 'yes' ? 'approve' : look === 'bad' ? 'warning' : 'minus'} size={13} />{d.outcome && <span className="visually-hidden">{t(`trace.${d.outcome}`)}</span>}</span>
            <div>
              {mine ? <><b>{named({ name_en: d.name_en ?? '', name_zh: d.name_zh ?? '' })}</b><span className={styles.version}>{t('trace.this')}</span></> : <RuleLink rule={d.rule} name={base ? undefined : named({ name_en: d.name_en ?? '', name_zh: d.name_zh ?? '' })} />}
              <p>{why}</p>
              {d.steps && d.steps.length > 0 && (
                <ul className={styles.steps}>
                  {d.steps.map((s, j) => (
                    <li key={j} data-holds={s.holds}>
                      <Icon name={s.holds ? 'approve' : 'close'} size={12} />
                      <span>{(zh ? s.words_zh : s.words_en) || s.text}{s.value && !/^(true|false)$/.test(s.value) && <>{t('trace.colon')}<b>{s.value}</b></>}<span className="visually-hidden"> {t(s.holds ? 'trace.holds' : 'trace.holdsNot')}</span></span>
                    </li>
                  ))}
                </ul>
              )}
            </div>
            <b className={styles.amount}>{d.amount && d.currency ? <Amount amount={d.amount} currency={d.currency} signed /> : d.tag || ''}</b>
          </li>
        );
      })}
    </ol>
  );
}
