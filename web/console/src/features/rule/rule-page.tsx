import { api, ok } from '@patron/shared/api/client.ts';
import { ApiProblem } from '@patron/shared/api/problem.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { keepPreviousData, useQuery, useQueryClient } from '@tanstack/react-query';
import { Button, Dropdown, Skeleton } from 'antd';
import { useEffect, useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useParams, useSearchParams } from 'react-router';
import { useCurrencies } from '../../frame/lookups.ts';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { useUnsaved } from '../../frame/unsaved.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { Section, WithAside } from '../../ui/section.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { ActDialog, actsOf, type Act } from './acts.tsx';
import { oneOf, ruleQuery, rulesListQuery, useRuleName, useSaid, type Definition, type Rule } from './api.ts';
import { IfClause, NameClause, ThenClause, WhenClause, WithClause } from './clauses.tsx';
import { Draft, tidy, type DraftContext } from './draft.ts';
import styles from './editor.module.css';
import { Others } from './others.tsx';
import { Publish } from './publish.tsx';
import { RuleState } from './rule-state.tsx';
import { blank, fromTemplate, templates } from './templates.ts';
import { TryIt } from './try-it.tsx';
import { Versions } from './versions.tsx';

/** One rule, to write and to read: a new one, a draft, a change of one that is published. */
export default function RulePage() {
  const { t } = useTranslation('rule');
  const { ref } = useParams();
  const [params] = useSearchParams();
  const from = params.get('from') ?? undefined;
  const wanted = ref ?? from;
  const one = useQuery({ ...ruleQuery(wanted ?? ''), enabled: wanted !== undefined });
  const currencies = useCurrencies();
  const crumbs = [{ to: '/rules', title: t('menu') }];
  const first = currencies.list.find((c) => c.kind === 'points')?.code ?? currencies.list[0]?.code;
  const all = useQuery({ ...rulesListQuery, enabled: !ref });
  const template = oneOf(templates, params.get('template') ?? undefined);
  if (one.error) return <Page title={ref ?? t('add')} crumbs={crumbs}><Section><ErrorState error={one.error} retry={() => void one.refetch()} /></Section></Page>;
  if ((wanted && !one.data) || !first || (!ref && all.isPending)) return <Page title={ref ? '' : t('add')} crumbs={crumbs}><Section><Skeleton active paragraph={{ rows: 10 }} /></Section></Page>;
  if (ref) return <Editor key={one.data!.id} rule={one.data} start={one.data!.draft ?? one.data!.rule} />;
  const taken = (all.data ?? []).map((r) => r.rule.code);
  const start = one.data ? copyOf(one.data.draft ?? one.data.rule, taken) : template ? unlike(fromTemplate(template, first), taken) : blank(first);
  return <Editor key={from ?? template ?? 'new'} rule={undefined} start={start} templated={Boolean(from ?? template)} />;
}

/** A second one like it: with another code, and names that say so. */
const copyOf = (d: Definition, taken: string[]): Definition => ({ ...unlike(d, [...taken, d.code]), name_en: d.name_en ? `${d.name_en} 2` : undefined, name_zh: d.name_zh ? `${d.name_zh} 2` : undefined });

/** The same with a code that no rule has yet. */
function unlike(d: Definition, taken: string[]): Definition {
  for (let n = 1; ; n++) {
    const code = n === 1 ? d.code : `${d.code.slice(0, 36)}-${n}`;
    if (!taken.includes(code)) return { ...d, code };
  }
}

/** What a change takes to be waited for. */
function useSettled<T>(value: T, ms: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), ms);
    return () => clearTimeout(timer);
  }, [value, ms]);
  return settled;
}

function Editor({ rule, start, templated }: { rule: Rule | undefined; start: Definition; templated?: boolean }) {
  const { t } = useTranslation('rule');
  const { language } = useFormat();
  const may = useCan()('rules.write') && rule?.state !== 'ended';
  const navigate = useNavigate();
  const { ref } = useParams();
  const client = useQueryClient();
  const said = useSaid();
  const nameOf = useRuleName();
  const [def, setDef] = useState(start);
  const [saved, setSaved] = useState(rule ? JSON.stringify(tidy(start)) : '');
  const [blocked, setBlocked] = useState<Record<string, string>>({});
  const [nameless, setNameless] = useState(false);
  const [publishing, setPublishing] = useState(false);
  const [act, setAct] = useState<Act>();

  const sent = useMemo(() => tidy(def), [def]);
  const text = JSON.stringify(sent);
  const dirty = may && text !== saved;
  const [kept, setKept] = useState<Rule>(); // as the last save left it
  const mine = kept && (!rule || kept.revision > rule.revision) ? kept : rule;
  useUnsaved(dirty && (mine !== undefined || text !== JSON.stringify(tidy(start))));

  // A new rule goes on under its own address, once the guard knows that nothing is lost.
  const [made, setMade] = useState<string>();
  useEffect(() => {
    if (made) void navigate(`/rules/${made}`, { replace: true });
  }, [made, navigate]);

  // What has no name yet is checked all the same, so that its sentence grows while one writes.
  const settled = useSettled(text, 250);
  const check = useQuery({
    queryKey: ['rule-check', settled, language],
    queryFn: () => {
      const d = JSON.parse(settled) as Definition;
      return ok(api.POST('/v1/rules/check', { body: { rule: { ...d, code: d.code || 'draft', name_en: d.name_en || d.name_zh || 'draft' } } }));
    },
    placeholderData: keepPreviousData,
    staleTime: Infinity,
    gcTime: 60_000,
    retry: false,
  });
  const fresh = settled === text && !check.isPlaceholderData;
  const named = Boolean(def.name_en?.trim() || def.name_zh?.trim());
  const sound = fresh && check.data?.ok === true && Object.keys(blocked).length === 0;
  const faults = [
    ...(check.data?.errors ?? []).filter((f) => !blocked[(f.location ?? '').replace(/^rule\./, '')]),
    ...Object.entries(blocked).map(([location, message]) => ({ location, message, code: 'builder' })),
    ...(nameless && !named ? [{ location: 'name_en', message: t('name.needed'), code: 'name' }] : []),
  ];

  const write = useWrite(
    ({ body, kept }: { body: Definition; kept: Rule | undefined }, key) => {
      const header = { 'Idempotency-Key': key };
      if (!kept) return ok(api.POST('/v1/rules', { body, params: { header } }));
      return ok(api.PATCH('/v1/rules/{ref}', {
        params: { path: { ref: kept.id }, header },
        body: {
          name_en: body.name_en ?? '',
          name_zh: body.name_zh ?? '',
          description_en: body.description_en ?? '',
          description_zh: body.description_zh ?? '',
          trigger: body.trigger,
          condition: body.condition ?? '',
          scope: body.scope ?? {},
          effect: body.effect,
          valid: body.valid ?? {},
          caps: body.caps ?? {},
          stack: body.stack ?? {},
          revision: kept.revision,
        },
      }));
    },
    { invalidates: [['rules']] },
  );
  const { mutateAsync, isPending: saving } = write;

  async function save(): Promise<Rule> {
    if (!named) {
      setNameless(true);
      document.getElementById('rule-name-zh')?.focus();
      throw new ApiProblem({ code: 'name', status: 0, title: t('name.needed'), detail: t('name.needed') });
    }
    if (mine && text === saved) return mine;
    const out = await mutateAsync({ body: sent, kept: mine });
    setSaved(text);
    setKept(out);
    client.setQueryData(ruleQuery(out.id).queryKey, out);
    if (ref && ref !== out.id) client.setQueryData(ruleQuery(ref).queryKey, out);
    return out;
  }
  async function keep() {
    try {
      const out = await save();
      if (!rule) setMade(out.id);
    } catch {
      // the page says why: beside the name, or over the form
    }
  }

  // A draft keeps itself; what is published gets a draft beside it when somebody asks for one.
  const hasDraft = rule !== undefined && (rule.state === 'draft' || rule.draft !== undefined);
  const auto = hasDraft && dirty && sound && named && !saving && !write.error && !publishing;
  useEffect(() => {
    if (!auto) return;
    const timer = setTimeout(() => void keep(), 1500);
    return () => clearTimeout(timer);
    // eslint-disable-next-line react-hooks/exhaustive-deps -- again only when the text changes
  }, [auto, text]);

  const draft: DraftContext = {
    def,
    faults,
    disabled: !may,
    set: (patch) => setDef((now) => ({ ...now, ...patch })),
    put: (part, patch) => setDef((now) => ({ ...now, [part]: { ...now[part], ...patch } })),
    block: (name, message) => setBlocked((now) => Object.fromEntries([...Object.entries(now).filter(([at]) => at !== name), ...(message ? [[name, message]] : [])]) as Record<string, string>),
  };

  const title = named ? nameOf(def) : t('add');
  const words = sound || !fresh ? said(check.data?.words) : '';
  const changed = hasDraft || dirty;
  const acts = rule && may ? actsOf(rule) : [];
  const publishable = may && (rule === undefined || changed);
  return (
    <Draft value={draft}>
      <Page
        title={title}
        crumbs={[{ to: '/rules', title: t('menu') }]}
        actions={
          <>
            {rule && <RuleState state={rule.state} />}
            {rule && rule.version > 0 && <span className={styles.saved}>{t('editor.version', { version: rule.version })}{rule.live_from && <> · <When at={rule.live_from} as="day" /></>}</span>}
            {may && rule && <span className={styles.saved} role="status">{saving ? t('editor.saving') : dirty ? t('editor.dirty') : hasDraft && rule ? <>{t('editor.saved')} <When at={rule.changed_at} /></> : ''}</span>}
            {rule && (
              <Dropdown
                trigger={['click']}
                menu={{
                  items: [
                    ...(may ? [{ key: 'test', label: t('act.test') }, { key: 'duplicate', label: t('act.duplicate') }] : []),
                    ...acts.map((key) => ({ key, label: t(`act.${key}`), danger: key !== 'resume' && key !== 'pause' })),
                  ],
                  onClick: ({ key }) => (key === 'test' ? void navigate(`/rules/tests?rule=${rule.id}`) : key === 'duplicate' ? void navigate(`/rules/new?from=${rule.id}`) : setAct(key as Act)),
                }}
              >
                <Button icon={<Icon name="more" />} aria-label={t('act.more', { name: title })} />
              </Dropdown>
            )}
            {may && dirty && <Button loading={saving} disabled={!sound} onClick={() => void keep()}>{t('editor.save')}</Button>}
            {publishable && <Button type="primary" disabled={!sound} onClick={() => (named ? setPublishing(true) : void keep())}>{t('editor.publish')}</Button>}
          </>
        }
      >
        <WithAside
          width={440}
          aside={
            <div className={styles.aside}>
              <div className={styles.sticky}>
                <h2 className={styles.side}>{t('editor.says')}</h2>
                <p className={styles.say} data-old={!fresh || undefined} aria-live="polite">{words || t('editor.unclear')}</p>
                <TryIt def={sent.code && named ? sent : { ...sent, code: sent.code || 'draft', name_en: sent.name_en || sent.name_zh || t('add') }} ready={sound} />
              </div>
            </div>
          }
        >
          <Section>
            {!rule && !templated && <p className={styles.begin}>{t('editor.begin')} {templates.map((key) => <Link key={key} className="inline" to={`/rules/new?template=${key}`}>{t(`template.${key}.title`)}</Link>)}</p>}
            {write.error && <ProblemAlert error={write.error} />}
            {rule?.state === 'ended' && <p className="lead">{t('editor.ended')}</p>}
            <div>
              <NameClause isNew={!rule} />
              <WhenClause />
              <IfClause />
              <ThenClause />
              <WithClause />
            </div>
          </Section>
          <Others def={def} self={rule?.id} />
          {rule && rule.latest_version > 0 && <Versions rule={rule} draft={changed ? sent : undefined} />}
        </WithAside>
      </Page>
      <Publish
        open={publishing}
        name={title}
        words={words}
        rule={rule}
        def={sent}
        save={save}
        onClose={() => setPublishing(false)}
        onDone={(out) => {
          setKept(out);
          if (!rule) setMade(out.id);
        }}
      />
      <ActDialog
        rule={act ? rule : undefined}
        act={act ?? 'pause'}
        onClose={() => setAct(undefined)}
        onDone={(done) => {
          if (done === 'delete') void navigate('/rules');
          if (done === 'discard' && rule) {
            setDef(rule.rule);
            setSaved(JSON.stringify(tidy(rule.rule)));
          }
        }}
      />
    </Draft>
  );
}
