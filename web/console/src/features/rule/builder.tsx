import { Icon } from '@patron/shared/ui/icon.tsx';
import { DatePicker, Input, InputNumber, Select, TimePicker } from 'antd';
import dayjs from 'dayjs';
import { createContext, useContext, useMemo } from 'react';
import { useTranslation } from 'react-i18next';
import { QueryBuilder, RuleGroupBodyComponents, useRuleGroup, type CombinatorSelectorProps, type RuleGroupProps, type RuleGroupType, type RuleProps, type RuleType } from 'react-querybuilder';
import { CategoriesPicker, ProductsPicker, StoresPicker, useCategoryNames, useProducts } from './pickers.tsx';
import { useOwnMoney } from './inputs.tsx';
import { firstArgs, firstValue, namesOf, rootOf, useVocabulary, type Entry, type Kind, type Param } from './vocabulary.ts';
import styles from './builder.module.css';

/** A tree as the API writes it: react-querybuilder's, with the arguments of a field beside it. */
export type Tree = RuleGroupType;
type Row = RuleType & { args?: (string | number)[] };

interface Words {
  kind: Kind;
  entries: Entry[];
  disabled: boolean;
}
const WordsContext = createContext<Words>({ kind: 'sale', entries: [], disabled: false });
const useWords = () => useContext(WordsContext);

interface Props {
  kind: Kind;
  tree: Tree;
  disabled: boolean;
  onChange: (tree: Tree) => void;
}

/** The visual builder of conditions: fields, operators and values are those of the server's vocabulary. */
export default function Builder({ kind, tree, disabled, onChange }: Props) {
  const { t } = useTranslation('rule');
  const { entries, said } = useVocabulary(kind);
  const asked = useMemo(() => (entries ?? []).filter((e) => e.operators?.length), [entries]);
  const fields = useMemo(
    () => (['member', 'sale', 'line', 'event', 'now', 'text'] as const)
      .map((root) => ({ label: t(`root.${root}`), options: asked.filter((e) => rootOf(e.name) === root).map((e) => ({ name: e.name, value: e.name, label: said(e), defaultValue: firstValue(e, e.operators![0]!) })) }))
      .filter((g) => g.options.length > 0),
    [asked, said, t],
  );
  const words = useMemo((): Words => ({ kind, entries: asked, disabled }), [kind, asked, disabled]);
  if (!entries) return null;
  const byName = new Map(asked.map((e) => [e.name, e]));
  return (
    <WordsContext value={words}>
      <QueryBuilder
        fields={fields}
        query={tree}
        onQueryChange={(next) => onChange(fit(next, byName))}
        getOperators={(name) => (byName.get(name)?.operators ?? []).map((op) => ({ name: op, value: op, label: op }))}
        getDefaultField={kind === 'sale' ? 'member.tier.rank' : undefined}
        combinators={[{ name: 'and', value: 'and', label: t('builder.and') }, { name: 'or', value: 'or', label: t('builder.or') }]}
        getDefaultOperator={(name) => (['whole', 'number', 'money', 'date'].includes(byName.get(name)?.type ?? '') ? '>=' : (byName.get(name)?.operators?.[0] ?? '='))}
        addRuleToNewGroups
        showCombinatorsBetweenRules
        controlElements={{ ruleGroup: Group, rule: OneRule, combinatorSelector: Combinator }}
        controlClassnames={{ queryBuilder: styles.builder! }}
        disabled={disabled}
        resetOnFieldChange={false}
        resetOnOperatorChange={false}
      />
    </WordsContext>
  );
}

/** Gives every rule the arguments that its field needs. */
function fit(group: Tree, byName: Map<string, Entry>): Tree {
  return {
    ...group,
    rules: group.rules.map((r) => {
      if (typeof r === 'string') return r;
      if ('rules' in r) return fit(r, byName);
      const params = byName.get(r.field)?.args ?? [];
      const row = r as Row;
      if (params.length === 0 && !row.args) return row;
      const least = params.filter((p) => !p.optional).length;
      if (row.args && row.args.length >= least && row.args.length <= params.length) return row;
      return { ...row, args: params.length > 0 ? firstArgs(byName.get(r.field)) : undefined };
    }) as Tree['rules'],
  };
}

/** A group: its rules with and/or between them, and under them what can be added. */
function Group(props: RuleGroupProps) {
  const { t } = useTranslation('rule');
  const { disabled } = useWords();
  const rg = useRuleGroup(props);
  const group = rg.ruleGroup as Tree;
  const root = rg.path.length === 0;
  const not = group.not === true;
  return (
    <div className={styles.group} data-root={root || undefined} role="group" aria-label={t(root ? 'builder.all' : 'builder.group')}>
      {not && <p className={styles.not}>{t('builder.not')}</p>}
      {group.rules.length === 0 && root && <p className={styles.none}>{t('builder.none')}</p>}
      <div className={styles.body}><RuleGroupBodyComponents {...rg} /></div>
      {!disabled && (
        <div className={styles.add}>
          <button type="button" className={styles.act} onClick={(e) => rg.addRule(e)}><Icon name="plus" size={16} />{t('builder.addRule')}</button>
          {rg.path.length < 4 && <button type="button" className={styles.act} onClick={(e) => rg.addGroup(e)}><Icon name="fork" size={16} />{t('builder.addGroup')}</button>}
          {(group.rules.length > 0 || not) && <button type="button" className={styles.act} aria-pressed={not} onClick={() => rg.onNotToggleChange(!not)}>{t(not ? 'builder.unnot' : 'builder.negate')}</button>}
          {!root && <button type="button" className={styles.act} onClick={(e) => rg.removeGroup(e)}>{t('builder.removeGroup')}</button>}
        </div>
      )}
    </div>
  );
}

function Combinator({ value, options, handleOnChange, disabled }: CombinatorSelectorProps) {
  const { t } = useTranslation('rule');
  return <Select size="small" variant="borderless" className={styles.and} popupMatchSelectWidth={false} aria-label={t('builder.between')} value={value} disabled={disabled} options={options as { value: string; label: string }[]} onChange={handleOnChange} />;
}

/** One question: field, its arguments, operator, value. */
function OneRule({ path, rule, actions, schema }: RuleProps) {
  const { t } = useTranslation('rule');
  const { entries, disabled } = useWords();
  const row = rule as Row;
  const entry = entries.find((e) => e.name === row.field);
  const put = (patch: Partial<Row>) => Object.entries(patch).forEach(([key, value]) => actions.onPropChange(key as 'value', value, path));
  return (
    <div className={styles.rule}>
      <Select
        className={styles.field}
        popupMatchSelectWidth={340}
        aria-label={t('builder.field')}
        value={row.field}
        disabled={disabled}
        labelRender={({ label }) => String(label ?? row.field).split(/[：；;:]/)[0]}
        showSearch={{ filterOption: (q, o) => `${String(o?.label)} ${String((o as { value?: string } | undefined)?.value)}`.toLowerCase().includes(q.toLowerCase()) }}
        options={schema.fields as unknown as { label: string; options: { value: string; label: string }[] }[]}
        onChange={(field) => {
          const next = entries.find((e) => e.name === field)!;
          const operator = next.operators!.includes(row.operator) ? row.operator : next.operators![0]!;
          put({ field, operator, value: firstValue(next, operator) });
        }}
      />
      {(entry?.args ?? []).map((param, i) => (
        <Arg
          key={i}
          field={row.field}
          param={param}
          value={row.args?.[i]}
          onChange={(value) => {
            const args = [...(row.args ?? firstArgs(entry))];
            if (value === undefined) args.length = i;
            else args[i] = value;
            put({ args } as Partial<Row>);
          }}
        />
      ))}
      {entry && entry.type !== 'yes_no' && (
        <Select
          className={styles.operator}
          popupMatchSelectWidth={false}
          aria-label={t('builder.operator')}
          value={row.operator}
          disabled={disabled}
          options={entry.operators!.map((op) => ({ value: op, label: t(entry.type === 'texts' ? `ofList.${op}` : `operator.${op}`) }))}
          onChange={(operator: string) => {
            const many = (op: string) => op === 'in' || op === 'notIn';
            put(many(operator) === many(row.operator) ? { operator } : { operator, value: firstValue(entry, operator) });
          }}
        />
      )}
      {entry ? <Value entry={entry} operator={row.operator} value={row.value} onChange={(value) => put({ value })} /> : <span className={styles.none}>{row.field}</span>}
      {!disabled && <button type="button" className={styles.remove} aria-label={t('builder.removeRule')} onClick={() => actions.onRuleRemove(path)}><Icon name="close" size={16} /></button>}
    </div>
  );
}

interface Editor<T> {
  value: T;
  onChange: (value: T) => void;
}

/** An argument: a window in days, a currency, a category. */
function Arg({ field, param, value, onChange }: Editor<string | number | undefined> & { field: string; param: Param }) {
  const { t } = useTranslation('rule');
  const { disabled } = useWords();
  const { said } = useVocabulary('sale');
  const label = said(param);
  if (param.values) return <Select aria-label={label} popupMatchSelectWidth={false} value={value} disabled={disabled} options={param.values.map((v) => ({ value: v, label: v }))} onChange={onChange} />;
  const names = namesOf(field, param);
  if (names === 'category') return <OneCategory label={label} value={String(value ?? '')} onChange={onChange} />;
  if (names === 'sku') return <OneProduct label={label} value={String(value ?? '')} onChange={onChange} />;
  if (param.type === 'whole') {
    return (
      <>
        <Select
          aria-label={label}
          popupMatchSelectWidth={false}
          value={value === undefined ? 'ever' : 'days'}
          disabled={disabled}
          options={[...(param.optional ? [{ value: 'ever', label: t('builder.ever') }] : []), { value: 'days', label: t('builder.lastDays') }]}
          onChange={(v: string) => onChange(v === 'ever' ? undefined : 30)}
        />
        {value !== undefined && <InputNumber<number> className={styles.days} controls={false} min={1} max={3660} precision={0} suffix={t('builder.days')} aria-label={t('builder.lastDays')} disabled={disabled} value={Number(value)} onChange={(n) => n !== null && onChange(n)} />}
      </>
    );
  }
  return <Input className={styles.text} aria-label={label} placeholder={label} disabled={disabled} value={String(value ?? '')} onChange={(e) => onChange(e.target.value)} />;
}

/** A value, by the type of its field. */
function Value({ entry, operator, value, onChange }: Editor<unknown> & { entry: Entry; operator: string }) {
  const { t } = useTranslation('rule');
  const { disabled } = useWords();
  const { said } = useVocabulary('sale');
  const { symbol, decimals } = useOwnMoney();
  const label = t('builder.value');
  const many = operator === 'in' || operator === 'notIn';
  const names = namesOf(entry.name);
  const list = Array.isArray(value) ? (value as (string | number)[]) : [];
  const choices = entry.values?.map((v) => ({ value: v.value, label: v.value === '' ? t('builder.noneOfThem') : said(v) })) ?? (entry.name === 'now.weekday' ? [1, 2, 3, 4, 5, 6, 7].map((n) => ({ value: n, label: t(`weekday.${n}`) })) : undefined);
  if (choices) return <Select mode={many ? 'multiple' : undefined} className={many ? styles.many : undefined} popupMatchSelectWidth={false} aria-label={label} disabled={disabled} value={many ? list : (value as string)} options={choices as { value: string; label: string }[]} onChange={(v: unknown) => onChange(v)} />;
  if (many) {
    const texts = list.map(String);
    if (names === 'store') return <StoresPicker label={label} disabled={disabled} value={texts} onChange={onChange} />;
    if (names === 'category') return <CategoriesPicker label={label} disabled={disabled} value={texts} onChange={onChange} />;
    if (names === 'sku') return <ProductsPicker label={label} disabled={disabled} value={texts} onChange={onChange} />;
    return <Select mode="tags" open={false} suffixIcon={null} className={styles.many} tokenSeparators={[',', '，', '、', ' ']} aria-label={label} disabled={disabled} value={texts} onChange={(v: string[]) => onChange(entry.type === 'whole' ? v.map(Number).filter(Number.isInteger) : v)} />;
  }
  const exact = operator === '=' || operator === '!=';
  if (exact && names === 'store') return <StoresPicker label={label} disabled={disabled} maxCount={1} value={value ? [String(value)] : []} onChange={(v) => onChange(v[0] ?? '')} />;
  if (exact && names === 'category') return <OneCategory label={label} value={String(value ?? '')} onChange={onChange} />;
  if (exact && names === 'sku') return <OneProduct label={label} value={String(value ?? '')} onChange={onChange} />;
  switch (entry.type) {
    case 'yes_no':
      return <Select popupMatchSelectWidth={false} aria-label={label} disabled={disabled} value={value === true} options={[{ value: true, label: t('builder.yes') }, { value: false, label: t('builder.no') }]} onChange={onChange} />;
    case 'whole':
    case 'number':
      return <InputNumber<number> className={styles.number} controls={false} precision={entry.type === 'whole' ? 0 : undefined} aria-label={label} disabled={disabled} {...(entry.min || entry.max ? { min: entry.min ?? 0, max: entry.max } : {})} value={typeof value === 'number' ? value : undefined} onChange={(n) => onChange(n ?? '')} />;
    case 'money':
      return <InputNumber<number> className={styles.number} controls={false} min={0} prefix={symbol} aria-label={label} disabled={disabled} value={value === '' ? undefined : Number(value)} onChange={(n) => onChange(n === null ? '' : Number.isInteger(n) ? String(n) : n.toFixed(decimals))} />;
    case 'date':
      return <DatePicker aria-label={label} disabled={disabled} allowClear={false} value={value ? dayjs(String(value)) : null} onChange={(d: dayjs.Dayjs | null) => onChange(d ? d.format('YYYY-MM-DD') : '')} />;
    case 'time':
      return <TimePicker aria-label={label} format="HH:mm" disabled={disabled} allowClear={false} needConfirm={false} value={value ? dayjs(`2026-01-01T${String(value)}`) : null} onChange={(d: dayjs.Dayjs | null) => onChange(d ? d.format('HH:mm') : '')} />;
    default:
      return <Input className={styles.text} aria-label={label} disabled={disabled} value={typeof value === 'string' ? value : ''} onChange={(e) => onChange(e.target.value)} />;
  }
}

function OneCategory({ label, value, onChange }: Editor<string> & { label: string }) {
  const { t } = useTranslation('rule');
  const { disabled } = useWords();
  const { options } = useCategoryNames();
  return <Select showSearch={{ optionFilterProp: 'label' }} className={styles.text} popupMatchSelectWidth={false} aria-label={label} placeholder={t('builder.pickCategory')} disabled={disabled} value={value || undefined} options={options} onChange={onChange} />;
}

function OneProduct({ label, value, onChange }: Editor<string> & { label: string }) {
  const { t } = useTranslation('rule');
  const { disabled } = useWords();
  const { options, onSearch } = useProducts(value ? [value] : []);
  return <Select showSearch={{ filterOption: false, onSearch }} className={styles.text} popupMatchSelectWidth={false} aria-label={label} placeholder={t('builder.pickProduct')} disabled={disabled} value={value || undefined} options={options} onChange={onChange} />;
}
