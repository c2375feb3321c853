import { api, ok } from '@patron/shared/api/client.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, Dropdown, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { programQuery, useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { Amount } from '../../ui/amount.tsx';
import { useFilters } from '../../ui/filters.ts';
import { KeysetTable, type KeysetColumn } from '../../ui/keyset-table.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { Section } from '../../ui/section.tsx';
import { useAmountText } from '../../ui/use-amount-text.ts';
import { ActDialog, actsOf, type Act } from './acts.tsx';
import { oneOf, states, triggers, useRuleName, useSaid, type Rule } from './api.ts';
import { RuleState } from './rule-state.tsx';
import styles from './rules-page.module.css';
import { RulesTabs } from './rules-tabs.tsx';
import { templates } from './templates.ts';
import { Validity } from './validity.tsx';

/** All rules: where each stands, what it does in a sentence, what it has given, what is left of its budget. */
export default function RulesPage() {
  const { t } = useTranslation('rule');
  const may = useCan()('rules.write');
  const navigate = useNavigate();
  const said = useSaid();
  const nameOf = useRuleName();
  const filters = useFilters(['state', 'trigger', 'group', 'q'] as const);
  const f = filters.values;
  const [asked, setAsked] = useState<{ rule: Rule; act: Act }>();
  const query = { state: oneOf(states, f.state), trigger: oneOf(triggers, f.trigger), group: f.group, q: f.q };

  const columns: KeysetColumn<Rule>[] = [
    {
      key: 'name',
      title: t('column.name'),
      render: (_, r) => (
        <div className={styles.name}>
          <Link to={`/rules/${r.id}`}>{nameOf(r.rule)}</Link>
          <p title={said(r.words)}>{said(r.words)}</p>
        </div>
      ),
    },
    {
      key: 'state',
      title: t('column.state'),
      render: (_, r) => (
        <>
          <RuleState state={r.state} />
          {r.draft && <div className="quiet">{t('hasDraft')}</div>}
          {r.next && <div className="quiet">{t(r.next.version ? 'next.version' : 'next.end', { version: r.next.version })} <When at={r.next.from} /></div>}
        </>
      ),
    },
    { key: 'trigger', title: t('column.trigger'), render: (_, r) => t(`on.${r.rule.trigger.on}`) },
    { key: 'valid', title: t('column.valid'), render: (_, r) => <Validity rule={r} /> },
    { key: 'given', title: t('column.given'), align: 'right', render: (_, r) => <Given rule={r} /> },
    { key: 'budget', title: t('column.budget'), render: (_, r) => <Budget rule={r} /> },
    { key: 'changed', title: t('column.changed'), render: (_, r) => <When at={r.changed_at} /> },
    { key: 'code', title: t('column.code'), optional: true, render: (_, r) => r.rule.code },
    { key: 'stage', title: t('column.stage'), optional: true, align: 'right', render: (_, r) => r.stage },
    ...(may
      ? [{
          key: 'act',
          near: true,
          title: t('column.act'),
          align: 'right' as const,
          render: (_: unknown, r: Rule) => {
            const acts = actsOf(r);
            const first = r.state === 'draft' ? undefined : acts[0];
            const rest = acts.filter((a) => a !== first);
            const go = { duplicate: () => void navigate(`/rules/new?from=${r.id}`), test: () => void navigate(`/rules/tests?rule=${r.id}`) };
            return (
              <span className={styles.acts}>
                {first && <button type="button" className="word" onClick={() => setAsked({ rule: r, act: first })}>{t(`act.${first}`)}</button>}
                <Dropdown
                  trigger={['click']}
                  menu={{
                    items: [
                      { key: 'duplicate', label: t('act.duplicate') },
                      ...(r.state === 'ended' ? [] : [{ key: 'test', label: t('act.test') }]),
                      ...rest.map((key) => ({ key, label: t(`act.${key}`), danger: key !== 'resume' && key !== 'pause' })),
                    ],
                    onClick: ({ key }) => (key in go ? go[key as keyof typeof go]() : setAsked({ rule: r, act: key as Act })),
                  }}
                >
                  <button type="button" className={styles.more} aria-label={t('act.more', { name: nameOf(r.rule) })}><Icon name="more" /></button>
                </Dropdown>
              </span>
            );
          },
        }]
      : []),
  ];

  return (
    <Page title={t('menu')} actions={may && <Button type="primary" icon={<Icon name="plus" size={18} />} onClick={() => void navigate('/rules/new')}>{t('add')}</Button>}>
      <RulesTabs />
      <Section>
        <Base />
        <KeysetTable<Rule>
          name="rules"
          queryKey={['rules', query]}
          fetch={(cursor) => ok(api.GET('/v1/rules', { params: { query: { ...query, cursor, limit: 50 } } }))}
          columns={columns}
          rowKey={(r) => r.id}
          to={(r) => `/rules/${r.id}`}
          filtered={filters.active}
          onClear={filters.clear}
          empty={<Empty may={may} />}
          filters={
            <>
              <SearchField value={f.q ?? ''} label={t('filter.q')} onChange={(q) => filters.set({ q })} />
              <Select allowClear style={{ minWidth: 120 }} placeholder={t('column.state')} aria-label={t('column.state')} value={query.state} options={states.map((value) => ({ value, label: t(`state.${value}`) }))} onChange={(state?: string) => filters.set({ state })} />
              <Select allowClear style={{ minWidth: 150 }} placeholder={t('column.trigger')} aria-label={t('column.trigger')} value={query.trigger} options={triggers.map((value) => ({ value, label: t(`on.${value}`) }))} onChange={(trigger?: string) => filters.set({ trigger })} />
            </>
          }
        />
      </Section>
      <ActDialog rule={asked?.rule} act={asked?.act ?? 'pause'} onClose={() => setAsked(undefined)} />
    </Page>
  );
}

/** The settings' own rule comes before all others, and is changed there. */
function Base() {
  const { t } = useTranslation('rule');
  const { money } = useFormat();
  const amount = useAmountText();
  const can = useCan();
  const program = useQuery(programQuery).data;
  const e = program?.earning;
  if (!e || !(e.points > 0 && e.currency)) return null;
  return (
    <p className={styles.base}>
      <span>{t('base.text', { points: amount(e.points, e.currency), per: money(e.per, program.currency, { trim: true }) })}</span>
      {can('program.manage') && <Link className="inline" to="/settings">{t('base.change')}</Link>}
    </p>
  );
}

function Given({ rule }: { rule: Rule }) {
  const { t } = useTranslation('rule');
  if (!rule.given) return <span className="quiet">–</span>;
  return (
    <>
      {rule.rule.effect.kind === 'tag' ? <>{t('times', { count: rule.given.times })}</> : (
        <>
          <Amount amount={rule.given.points} currency={rule.rule.effect.currency ?? ''} />
          <div className="quiet">{t('times', { count: rule.given.times })}</div>
        </>
      )}
    </>
  );
}

/** How much of its budget is used, in words and as a thin bar. */
export function Budget({ rule }: { rule: Rule }) {
  const { t } = useTranslation('rule');
  const amount = useAmountText();
  const b = rule.budget;
  if (!b) return <span className="quiet">{rule.rule.caps?.budget ? amount(rule.rule.caps.budget, rule.rule.effect.currency ?? '') : t('noBudget')}</span>;
  const share = Math.min(1, b.total > 0 ? b.used / b.total : 1);
  return (
    <span className={styles.budget}>
      <span>{t('budget.left', { left: amount(b.left, rule.rule.effect.currency ?? '') })}</span>
      <span className={styles.bar} data-low={share > 0.9 || undefined}><i style={{ width: `${share * 100}%` }} /></span>
      <span className="quiet">{t('budget.of', { used: amount(b.used, rule.rule.effect.currency ?? ''), total: amount(b.total, rule.rule.effect.currency ?? '') })}</span>
    </span>
  );
}

function Empty({ may }: { may: boolean }) {
  const { t } = useTranslation('rule');
  return (
    <>
      <Blank drawing="coupon" title={t('empty.title')} text={t(may ? 'empty.text' : 'empty.none')} />
      {may && (
        <nav className={styles.templates} aria-label={t('empty.templates')}>
          {templates.map((key) => (
            <Link key={key} to={`/rules/new?template=${key}`}><b>{t(`template.${key}.title`)}</b><span>{t(`template.${key}.text`)}</span></Link>
          ))}
        </nav>
      )}
    </>
  );
}
