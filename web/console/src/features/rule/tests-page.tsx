import { api, ok } from '@patron/shared/api/client.ts';
import type { RuleAsked, RuleTestView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, DatePicker, Select } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useSearchParams } from 'react-router';
import { Amount } from '../../ui/amount.tsx';
import { useActors } from '../../frame/lookups.ts';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { KeysetTable, type KeysetColumn } from '../../ui/keyset-table.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { Section } from '../../ui/section.tsx';
import { rulesListQuery, useRuleName, type Rule } from './api.ts';
import { RulesTabs } from './rules-tabs.tsx';
import { TestState } from './test-state.tsx';
import styles from './tests.module.css';

/** Back-tests: what drafts would have given on the sales of a past period. One is started here, the last ones are kept. */
export default function TestsPage() {
  const { t } = useTranslation('rule');
  const { day } = useFormat();
  const actor = useActors();
  const may = useCan()('rules.write');
  const nameOf = useRuleName();
  const columns: KeysetColumn<RuleTestView>[] = [
    { key: 'what', title: t('tests.what'), render: (_, x) => <Link to={`/rules/tests/${x.id}`}>{[...(x.asked.rules ?? []).map(nameOf), ...(x.asked.without ?? []).map((code) => t('tests.withoutOne', { code }))].join(t('valid.and')) || t('tests.asLive')}</Link> },
    { key: 'period', title: t('tests.period'), render: (_, x) => <>{day(`${x.asked.from}T12:00:00Z`)} – {day(dayjs(x.asked.until).subtract(1, 'day').format('YYYY-MM-DDT12:00:00[Z]'))}</> },
    { key: 'state', title: t('column.state'), render: (_, x) => <TestState test={x} /> },
    { key: 'diff', title: t('tests.difference'), align: 'right', render: (_, x) => (x.report?.currencies ?? []).map((c) => <div key={c.currency}><Amount amount={c.points - c.was} currency={c.currency} signed /></div>) },
    { key: 'by', title: t('tests.by'), render: (_, x) => actor(x.made_by) },
    { key: 'made', title: t('tests.made'), render: (_, x) => <When at={x.made_at} /> },
  ];
  return (
    <Page title={t('menu')}>
      <RulesTabs />
      {may && <Section title={t('tests.new')}><Start /></Section>}
      <Section title={t('tests.last')}>
        <KeysetTable<RuleTestView>
          name="rule-tests"
          queryKey={['rule-tests']}
          fetch={(cursor) => ok(api.GET('/v1/rules/back-tests', { params: { query: { cursor, limit: 20 } } }))}
          columns={columns}
          rowKey={(x) => x.id}
          to={(x) => `/rules/tests/${x.id}`}
          empty={<Blank drawing="result" title={t('tests.empty')} text={t('tests.emptyText')} />}
        />
      </Section>
    </Page>
  );
}

/** What is asked: which drafts count, which rules do not, over which days. */
function Start() {
  const { t } = useTranslation('rule');
  const navigate = useNavigate();
  const nameOf = useRuleName();
  const { zone } = useFormat();
  const [params] = useSearchParams();
  const list = useQuery(rulesListQuery);
  const [chosen, setChosen] = useState<string[]>(params.getAll('rule'));
  const [without, setWithout] = useState<string[]>([]);
  const today = dayjs(new Date().toLocaleDateString('sv-SE', { timeZone: zone }));
  const [period, setPeriod] = useState<[Dayjs, Dayjs]>([today.subtract(30, 'day'), today.subtract(1, 'day')]);
  const start = useWrite((body: RuleAsked, key) => ok(api.POST('/v1/rules/back-tests', { body, params: { header: { 'Idempotency-Key': key } } })), {
    invalidates: [['rule-tests']],
    onSuccess: (out) => void navigate(`/rules/tests/${out.id}`),
  });
  const rules = (list.data ?? []).filter((r) => r.state !== 'ended');
  const label = (r: Rule) => (r.draft ? t('tests.draftOf', { name: nameOf(r.draft) }) : r.state === 'draft' ? t('tests.draftOf', { name: nameOf(r.rule) }) : nameOf(r.rule));
  const picked = rules.filter((r) => chosen.includes(r.id));
  return (
    <>
      {start.error && <ProblemAlert error={start.error} />}
      <div className={styles.start}>
        <label className={styles.grow}>
          <span>{t('tests.drafts')}</span>
          <Select mode="multiple" showSearch={{ optionFilterProp: 'label' }} placeholder={t('tests.pick')} value={list.data ? picked.map((r) => r.id) : []} options={rules.map((r) => ({ value: r.id, label: label(r) }))} onChange={(v: string[]) => setChosen(v)} loading={list.isPending} />
        </label>
        <label>
          <span>{t('tests.without')}</span>
          <Select mode="multiple" showSearch={{ optionFilterProp: 'label' }} placeholder={t('tests.none')} value={without} options={rules.filter((r) => r.state === 'live' && !chosen.includes(r.id)).map((r) => ({ value: r.rule.code, label: nameOf(r.rule) }))} onChange={(v: string[]) => setWithout(v)} />
        </label>
        <label>
          <span>{t('tests.period')}</span>
          <DatePicker.RangePicker
            allowClear={false}
            value={period}
            maxDate={today}
            presets={([7, 30, 90, 365] as const).map((n) => ({ label: t('tests.lastDays', { count: n }), value: [today.subtract(n, 'day'), today.subtract(1, 'day')] as [Dayjs, Dayjs] }))}
            onChange={(range) => range?.[0] && range[1] && setPeriod([range[0], range[1]])}
          />
        </label>
        <Button
          type="primary"
          loading={start.isPending}
          disabled={picked.length === 0 && without.length === 0}
          onClick={() => start.mutate({
            from: period[0].format('YYYY-MM-DD'),
            until: period[1].add(1, 'day').format('YYYY-MM-DD'),
            ...(picked.length ? { rules: picked.map((r) => r.draft ?? r.rule) } : {}),
            ...(without.length ? { without } : {}),
          })}
        >
          {t('tests.start')}
        </Button>
      </div>
      <p className="quiet">{t('tests.help')}</p>
    </>
  );
}
