import { api, ok } from '@patron/shared/api/client.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useQuery } from '@tanstack/react-query';
import { App, Button, Form, Input, InputNumber, Select, Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { Section } from '../../ui/section.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { groupsQuery, rulesListQuery, useRuleName, useSaid, type Group, type Rule } from './api.ts';
import styles from './groups-page.module.css';
import { RuleState } from './rule-state.tsx';
import { RulesTabs } from './rules-tabs.tsx';

/** The order of deciding: stage by stage the rules that run in it, and the groups of which only some count. */
export default function GroupsPage() {
  const { t } = useTranslation('rule');
  const { message } = App.useApp();
  const may = useCan()('rules.write');
  const nameOf = useRuleName();
  const groups = useQuery(groupsQuery);
  const list = useQuery(rulesListQuery);
  const [editing, setEditing] = useState<Group | 'new'>();
  const [removing, setRemoving] = useState<Group>();
  const put = useWrite(
    ({ code, ...body }: Group, key) => ok(api.PUT('/v1/rule-groups/{code}', { params: { path: { code }, header: { 'Idempotency-Key': key } }, body })),
    { invalidates: [['rule-groups'], ['rules']], onSuccess: () => void message.success(t('groups.saved')) },
  );
  const remove = useWrite(
    (code: string, key) => ok(api.DELETE('/v1/rule-groups/{code}', { params: { path: { code }, header: { 'Idempotency-Key': key } } })),
    { invalidates: [['rule-groups']], onSuccess: () => {
      setRemoving(undefined);
      void message.success(t('groups.removed'));
    } },
  );
  const rules = (list.data ?? []).filter((r) => r.state !== 'ended');
  const all = groups.data?.items ?? [];
  const stages = [...new Set([...rules.map((r) => r.stage), ...all.map((g) => g.stage)])].sort((a, b) => a - b);
  const error = groups.error ?? list.error;

  const sharesStage = (g: Group) => rules.some((r) => r.stage === g.stage && r.rule.stack?.group !== g.code) || all.some((o) => o.stage === g.stage && o.code !== g.code);
  const canMove = (g: Group, by: -1 | 1) => (sharesStage(g) ? g.stage + by >= 0 && g.stage + by <= 99 : stages[stages.indexOf(g.stage) + by] !== undefined);
  /** A group goes before the stage that stands before it, or joins it where there is no room between. */
  const move = (g: Group, by: -1 | 1) => {
    const i = stages.indexOf(g.stage);
    const beside = sharesStage(g);
    const next = beside ? g.stage : stages[i + by]!;
    const beyond = stages[(beside ? i : i + by) + by] ?? (by < 0 ? -1 : 100);
    const room = by < 0 ? next - 1 > beyond : next + 1 < beyond;
    put.mutate({ ...g, stage: room ? next + by : next === g.stage ? Math.min(99, Math.max(0, g.stage + by)) : next });
  };

  return (
    <Page title={t('menu')} actions={may && <Button type="primary" icon={<Icon name="plus" size={18} />} onClick={() => setEditing('new')}>{t('groups.add')}</Button>}>
      <RulesTabs />
      <Section>
        <p className="lead">{t('groups.lead')}</p>
        {put.error && editing === undefined && <ProblemAlert error={put.error} />}
        {error ? <ErrorState error={error} retry={() => {
          void groups.refetch();
          void list.refetch();
        }} />
          : !groups.data || !list.data ? <Skeleton active paragraph={{ rows: 6 }} />
            : stages.length === 0 ? <Blank drawing="result" title={t('groups.empty')} text={t('groups.emptyText')} />
              : (
                <ol className={styles.stages}>
                  {stages.map((stage) => (
                    <li key={stage}>
                      <h3>{t('groups.stage', { stage })}</h3>
                      <div className={styles.lane}>
                        {rules.filter((r) => r.stage === stage && !r.rule.stack?.group).map((r) => <RuleRow key={r.id} rule={r} />)}
                        {all.filter((g) => g.stage === stage).map((g) => (
                          <section key={g.code} className={styles.group} aria-label={nameOf(g)}>
                            <header>
                              <b>{nameOf(g)}</b>
                              <span className="quiet">{t(`mode.${g.mode}`)}</span>
                              {may && (
                                <span className={styles.acts}>
                                  <Button size="small" icon={<Icon name="arrowUp" size={16} />} aria-label={t('groups.up', { name: nameOf(g) })} disabled={!canMove(g, -1) || put.isPending} onClick={() => move(g, -1)} />
                                  <Button size="small" icon={<Icon name="arrowDown" size={16} />} aria-label={t('groups.down', { name: nameOf(g) })} disabled={!canMove(g, 1) || put.isPending} onClick={() => move(g, 1)} />
                                  <button type="button" className="word" onClick={() => setEditing(g)}>{t('groups.edit')}</button>
                                  <button type="button" className="word" onClick={() => setRemoving(g)}>{t('groups.remove')}</button>
                                </span>
                              )}
                            </header>
                            {rules.filter((r) => r.rule.stack?.group === g.code).sort((a, b) => (a.rule.stack?.priority ?? 0) - (b.rule.stack?.priority ?? 0) || a.rule.code.localeCompare(b.rule.code)).map((r) => <RuleRow key={r.id} rule={r} priority={g.mode === 'first'} />)}
                            {!rules.some((r) => r.rule.stack?.group === g.code) && <p className="quiet">{t('groups.noRules')}</p>}
                          </section>
                        ))}
                      </div>
                    </li>
                  ))}
                </ol>
              )}
      </Section>
      <FormDrawer<Group>
        open={editing !== undefined}
        title={editing === 'new' ? t('groups.add') : editing ? t('groups.change', { name: nameOf(editing) }) : ''}
        act={editing === 'new' ? t('groups.add') : t('groups.save')}
        first="name_zh"
        initial={editing === 'new' || !editing ? { code: '', mode: 'best', stage: 0 } : editing}
        write={put}
        onSave={(values) => put.mutate({ ...(editing === 'new' ? {} : editing), ...values } as Group, { onSuccess: () => setEditing(undefined) })}
        onClose={() => setEditing(undefined)}
      >
        <Form.Item name="name_zh" label={t('name.zh')}><Input lang="zh-CN" maxLength={100} /></Form.Item>
        <Form.Item name="name_en" label={t('name.en')}><Input lang="en" maxLength={100} /></Form.Item>
        {editing === 'new' && <Form.Item name="code" label={t('name.code')} extra={t('groups.codeHelp')} rules={[{ required: true, pattern: /^[a-z0-9][a-z0-9_-]{0,39}$/, message: t('groups.codeNeeded') }]}><Input maxLength={40} /></Form.Item>}
        <Form.Item name="mode" label={t('groups.mode')}><Select options={(['best', 'first', 'least', 'all'] as const).map((value) => ({ value, label: t(`mode.${value}`) }))} /></Form.Item>
        <Form.Item name="stage" label={t('column.stage')} extra={t('with.stageHelp')}><InputNumber min={0} max={99} precision={0} style={{ width: 120 }} /></Form.Item>
      </FormDrawer>
      <ConfirmDialog
        open={removing !== undefined}
        title={removing ? t('groups.ask', { name: nameOf(removing) }) : ''}
        act={t('groups.remove')}
        cancel={t('not.delete')}
        danger
        pending={remove.isPending}
        error={remove.error}
        onOk={() => removing && remove.mutate(removing.code)}
        onCancel={() => {
          remove.reset();
          setRemoving(undefined);
        }}
      >
        <p className="lead">{t('groups.follows')}</p>
      </ConfirmDialog>
    </Page>
  );
}

function RuleRow({ rule, priority }: { rule: Rule; priority?: boolean }) {
  const { t } = useTranslation('rule');
  const nameOf = useRuleName();
  const said = useSaid();
  return (
    <div className={styles.rule}>
      <Link to={`/rules/${rule.id}`}>{nameOf(rule.rule)}</Link>
      <RuleState state={rule.state} />
      <span className={styles.words}>{priority && <>{t('groups.priority', { n: rule.rule.stack?.priority ?? 0 })} </>}{said(rule.words)}</span>
    </div>
  );
}
