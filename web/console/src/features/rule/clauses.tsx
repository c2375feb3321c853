import { Icon } from '@patron/shared/ui/icon.tsx';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { AutoComplete, Checkbox, DatePicker, Dropdown, Input, Select, TimePicker } from 'antd';
import dayjs from 'dayjs';
import { useId, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useCurrencies } from '../../frame/lookups.ts';
import { triggers, useGroups, useRuleName, type Definition, type On } from './api.ts';
import { Condition } from './condition.tsx';
import { codeFrom, kindOf, useDraft } from './draft.ts';
import styles from './editor.module.css';
import { Faults } from './faults.tsx';
import { CountInput, MoneyInput, PointsInput, Sentence } from './inputs.tsx';
import { CategoriesPicker, ProductsPicker, StoresPicker, TextsPicker } from './pickers.tsx';
import { useVocabulary } from './vocabulary.ts';

const loose = { popupMatchSelectWidth: false } as const;

function Clause({ word, faults, children }: { word: string; faults: string[]; children: ReactNode }) {
  return (
    <section className={styles.clause}>
      <h2>{word}</h2>
      <div className={styles.rows}>{children}<Faults of={faults} /></div>
    </section>
  );
}

/** A line that can be taken off again, by which the part that it holds is emptied. */
function Line({ children, remove, onRemove }: { children: ReactNode; remove: string; onRemove: () => void }) {
  const { disabled } = useDraft();
  return (
    <div className={styles.line}>
      {children}
      {!disabled && <button type="button" className={styles.remove} aria-label={remove} onClick={onRemove}><Icon name="close" size={16} /></button>}
    </div>
  );
}

/** Adds a line from a list of those that are not there yet. */
function AddLine<K extends string>({ label, items, onAdd }: { label: string; items: { key: K; label: string }[]; onAdd: (key: K) => void }) {
  const { disabled } = useDraft();
  if (disabled || items.length === 0) return null;
  return (
    <div className={styles.add}>
      <Dropdown trigger={['click']} menu={{ items, onClick: ({ key }) => onAdd(key as K) }}>
        <button type="button" className={`word ${styles.line}`} style={{ minHeight: 32, padding: '0 8px', gap: 4 }}><Icon name="plus" size={16} />{label}</button>
      </Dropdown>
    </div>
  );
}

/** What it is called: in both languages, and by its code. */
export function NameClause({ isNew }: { isNew: boolean }) {
  const { t } = useTranslation('rule');
  const { def, set, disabled } = useDraft();
  const [own, setOwn] = useState(def.code !== '');
  const [chance] = useState(() => Math.random());
  const [told, setTold] = useState(Boolean(def.description_en || def.description_zh));
  const name = (patch: Partial<Definition>) => {
    const next = { ...def, ...patch };
    set(isNew && !own ? { ...patch, code: next.name_en || next.name_zh ? codeFrom(next.name_en ?? '', chance) : '' } : patch);
  };
  return (
    <Clause word={t('clause.name')} faults={['', 'code', 'name_en', 'name_zh', 'description_en', 'description_zh']}>
      <div className={styles.names}>
        <label>{t('name.zh')}<Input id="rule-name-zh" lang="zh-CN" maxLength={100} disabled={disabled} value={def.name_zh ?? ''} onChange={(e) => name({ name_zh: e.target.value })} /></label>
        <label>{t('name.en')}<Input id="rule-name-en" lang="en" maxLength={100} disabled={disabled} value={def.name_en ?? ''} onChange={(e) => name({ name_en: e.target.value })} /></label>
        {isNew && (
          <label className={styles.code}>
            {t('name.code')}
            <Input maxLength={40} value={def.code} onChange={(e) => {
              setOwn(true);
              set({ code: e.target.value.trim() });
            }} />
            <span className={styles.hint}>{t('name.codeHelp')}</span>
          </label>
        )}
        {told && (
          <>
            <label>{t('name.descriptionZh')}<Input.TextArea lang="zh-CN" autoSize={{ minRows: 1, maxRows: 4 }} maxLength={2000} disabled={disabled} value={def.description_zh ?? ''} onChange={(e) => set({ description_zh: e.target.value })} /></label>
            <label>{t('name.descriptionEn')}<Input.TextArea lang="en" autoSize={{ minRows: 1, maxRows: 4 }} maxLength={2000} disabled={disabled} value={def.description_en ?? ''} onChange={(e) => set({ description_en: e.target.value })} /></label>
          </>
        )}
      </div>
      {!told && !disabled && <div className={styles.add} style={{ marginLeft: 0 }}><button type="button" className="word" onClick={() => setTold(true)}>{t('name.tell')}</button></div>}
    </Clause>
  );
}

const limits = ['weekdays', 'month_days', 'hours', 'festivals', 'dates'] as const;
type Limit = (typeof limits)[number];

/** What sets it off, and when it counts. */
export function WhenClause() {
  const { t } = useTranslation('rule');
  const { def, set, put, disabled } = useDraft();
  const { entries, said } = useVocabulary('member');
  const [shown, setShown] = useState<Limit[]>([]);
  const tr = def.trigger;
  const v = def.valid ?? {};
  const on = (next: On) => set({
    trigger: { on: next, ...(next === 'event' ? { event: tr.event ?? 'visit' } : {}) },
    ...(next !== 'sale' && def.effect.kind !== 'fixed' && def.effect.kind !== 'tag' ? { effect: { kind: 'fixed', currency: def.effect.currency, points: 100 } } : {}),
  });
  const there = limits.filter((l) => shown.includes(l) || (v[l]?.length ?? 0) > 0);
  const off = (l: Limit) => {
    setShown(shown.filter((s) => s !== l));
    put('valid', { [l]: undefined });
  };
  const trigger = <Select {...loose} aria-label={t('column.trigger')} disabled={disabled} value={tr.on} options={triggers.map((value) => ({ value, label: t(`when.${value}`) }))} onChange={on} />;
  const festivals = entries?.find((e) => e.name === 'now.festival')?.values?.filter((f) => f.value !== '') ?? [];
  return (
    <Clause word={t('clause.when')} faults={['trigger', 'valid']}>
      <div className={styles.line}>
        {trigger}
        {tr.on === 'event' && (
          <>
            <span>{t('when.type')}</span>
            <AutoComplete aria-label={t('when.type')} style={{ width: 180 }} disabled={disabled} value={tr.event ?? ''} options={[{ value: 'visit' }]} onChange={(event: string) => put('trigger', { event })} />
          </>
        )}
        {tr.on === 'tier_reached' && <Input aria-label={t('when.tier')} placeholder={t('when.anyTier')} style={{ width: 180 }} disabled={disabled} value={tr.tier ?? ''} onChange={(e) => put('trigger', { tier: e.target.value.trim() })} />}
        {tr.on === 'birthday' && <Sentence text={t('when.ahead')} parts={{ days: <CountInput label={t('when.daysAhead')} max={60} value={tr.days_before ?? 0} disabled={disabled} onChange={(days_before) => put('trigger', { days_before })} /> }} />}
        {tr.on === 'anniversary' && <Select mode="tags" open={false} suffixIcon={null} style={{ minWidth: 160 }} aria-label={t('when.years')} placeholder={t('when.eachYear')} disabled={disabled} value={(tr.years ?? []).map(String)} onChange={(years: string[]) => put('trigger', { years: years.map(Number).filter((n) => n > 0) })} />}
      </div>
      <Sentence
        text={t('when.period')}
        parts={{
          from: <DatePicker aria-label={t('valid.from')} placeholder={t('when.atOnce')} disabled={disabled} value={v.from ? dayjs(v.from.slice(0, 10)) : null} onChange={(d: dayjs.Dayjs | null) => put('valid', { from: d ? d.format('YYYY-MM-DD') : undefined })} />,
          until: <DatePicker aria-label={t('valid.until')} placeholder={t('when.open')} disabled={disabled} value={v.until ? lastDay(v.until) : null} onChange={(d: dayjs.Dayjs | null) => put('valid', { until: d ? d.add(1, 'day').format('YYYY-MM-DD') : undefined })} />,
        }}
      />
      {there.map((l) => (
        <Line key={l} remove={t('when.off', { what: t(`limit.${l}`) })} onRemove={() => off(l)}>
          <span>{t(`only.${l}`)}</span>
          {l === 'weekdays' && <Checkbox.Group disabled={disabled} value={v.weekdays ?? []} options={[1, 2, 3, 4, 5, 6, 7].map((value) => ({ value, label: t(`weekday.${value}`) }))} onChange={(weekdays) => put('valid', { weekdays })} />}
          {l === 'month_days' && <Select mode="multiple" style={{ minWidth: 180, maxWidth: '100%' }} aria-label={t('limit.month_days')} disabled={disabled} value={v.month_days ?? []} options={[...Array.from({ length: 31 }, (_, i) => ({ value: i + 1, label: t('when.day', { n: i + 1 }) })), { value: -1, label: t('when.lastDay') }]} onChange={(month_days: number[]) => put('valid', { month_days })} />}
          {l === 'hours' && <HoursList />}
          {l === 'festivals' && <Select mode="multiple" {...loose} style={{ minWidth: 180, maxWidth: '100%' }} aria-label={t('limit.festivals')} disabled={disabled} value={v.festivals ?? []} options={festivals.map((f) => ({ value: f.value, label: said(f) }))} onChange={(f: string[]) => put('valid', { festivals: f })} />}
          {l === 'dates' && <TextsPicker label={t('limit.dates')} placeholder={t('when.datesHint')} disabled={disabled} value={v.dates} onChange={(dates) => put('valid', { dates })} />}
        </Line>
      ))}
      <AddLine label={t('when.limit')} items={limits.filter((l) => !there.includes(l)).map((key) => ({ key, label: t(`limit.${key}`) }))} onAdd={(l) => setShown([...shown, l])} />
    </Clause>
  );
}

/** The last day that is in it: an end is the first instant after. */
const lastDay = (until: string) => (until.length === 10 || until.slice(11, 16) === '00:00' ? dayjs(until.slice(0, 10)).subtract(1, 'day') : dayjs(until.slice(0, 10)));

const clock = (text: string) => dayjs(`2026-01-01T${text === '24:00' ? '00:00' : text}`);

function HoursList() {
  const { t } = useTranslation('rule');
  const { def, put, disabled } = useDraft();
  const hours = def.valid?.hours?.length ? def.valid.hours : [{ from: '', until: '' }];
  return (
    <>
      {hours.map((h, i) => (
        <TimePicker.RangePicker
          key={i}
          aria-label={t('limit.hours')}
          format="HH:mm"
          minuteStep={5}
          order={false}
          needConfirm={false}
          disabled={disabled}
          style={{ width: 190 }}
          value={h.from ? [clock(h.from), clock(h.until)] : null}
          onChange={(range) => put('valid', { hours: range?.[0] && range[1] ? hours.map((old, j) => (j === i ? { from: range[0]!.format('HH:mm'), until: range[1]!.format('HH:mm') } : old)) : hours.filter((_, j) => j !== i) })}
        />
      ))}
      {!disabled && hours.length < 24 && hours[0]!.from && <button type="button" className="word" onClick={() => put('valid', { hours: [...hours, { from: '12:00', until: '14:00' }] })}>{t('when.moreHours')}</button>}
    </>
  );
}

const inLists = ['categories', 'brands', 'skus'] as const;
const outLists = ['not_categories', 'not_brands', 'not_skus'] as const;
const goods = [...inLists, ...outLists, 'line'] as const;
type Goods = (typeof goods)[number];

/** Whom and what it is about: where it was bought, what must hold, which goods count. */
export function IfClause() {
  const { t } = useTranslation('rule');
  const { def, set, put, disabled } = useDraft();
  const [shown, setShown] = useState<Goods[]>([]);
  const s = def.scope ?? {};
  const sale = def.trigger.on === 'sale';
  const there = goods.filter((g) => shown.includes(g) || (s[g]?.length ?? 0) > 0);
  const off = (g: Goods) => {
    setShown(shown.filter((x) => x !== g));
    put('scope', { [g]: undefined });
  };
  const picker = { categories: CategoriesPicker, brands: TextsPicker, skus: ProductsPicker, not_categories: CategoriesPicker, not_brands: TextsPicker, not_skus: ProductsPicker };
  return (
    <Clause word={t('clause.if')} faults={['scope']}>
      {sale && (
        <Sentence
          text={t('if.where')}
          parts={{
            stores: <StoresPicker label={t('if.stores')} placeholder={t('if.anyStore')} disabled={disabled} value={s.stores} onChange={(stores) => put('scope', { stores })} />,
            channels: <TextsPicker label={t('if.channels')} placeholder={t('if.anyChannel')} disabled={disabled} value={s.channels} style={{ minWidth: 140, maxWidth: '100%' }} onChange={(channels) => put('scope', { channels })} />,
          }}
        />
      )}
      <Condition key={kindOf(def.trigger.on)} kind={kindOf(def.trigger.on)} at="condition" text={def.condition ?? ''} onChange={(condition) => set({ condition })} />
      <Faults of={['condition']} />
      {sale && (
        <div className={styles.sub}>
          {there.length === 0 && <div className={styles.line}><span>{t('if.allGoods')}</span></div>}
          {there.filter((g) => g !== 'line').map((g) => {
            const Picker = picker[g];
            return (
              <Line key={g} remove={t('if.off', { what: t(`goods.${g}`) })} onRemove={() => off(g)}>
                <span>{t(`of.${g}`)}</span>
                <Picker label={t(`goods.${g}`)} placeholder={t(`pick.${g}`)} disabled={disabled} value={s[g]} onChange={(list) => put('scope', { [g]: list })} />
              </Line>
            );
          })}
          {there.includes('line') && (
            <div className={styles.rows}>
              <Line remove={t('if.off', { what: t('goods.line') })} onRemove={() => off('line')}><span>{t('of.line')}</span></Line>
              <Condition kind="line" at="scope.line" text={s.line ?? ''} onChange={(line) => put('scope', { line })} />
              <Faults of={['scope.line']} />
            </div>
          )}
          <AddLine label={t('if.goods')} items={goods.filter((g) => !there.includes(g)).map((key) => ({ key, label: t(`goods.${key}`) }))} onAdd={(g) => setShown([...shown, g])} />
        </div>
      )}
    </Clause>
  );
}

const kinds = ['per_amount', 'fixed', 'multiplier', 'steps', 'tag'] as const;
const capKeys = ['sale', 'day', 'week', 'month', 'ever', 'times_day', 'times_week', 'times_month', 'times_ever'] as const;
type Cap = (typeof capKeys)[number];

/** What it gives, how it rounds, when it can be used, and the most of it. */
export function ThenClause() {
  const { t } = useTranslation('rule');
  const { def, set, put, disabled } = useDraft();
  const { options, decimalsOf } = useCurrencies();
  const [shown, setShown] = useState<Cap[]>([]);
  const more = useId();
  const e = def.effect;
  const sale = def.trigger.on === 'sale';
  const caps = def.caps ?? {};
  const there = capKeys.filter((c) => shown.includes(c) || (caps[c] ?? 0) > 0);
  const kind = (next: Definition['effect']['kind']) => set({
    effect: {
      ...e,
      kind: next,
      currency: next === 'tag' ? undefined : e.currency ?? 'points',
      ...(next === 'multiplier' ? { percent: e.percent ?? 200 } : {}),
      ...(next === 'per_amount' ? { points: e.points ?? 1, per: e.per ?? 100 } : {}),
      ...(next === 'fixed' ? { points: e.points ?? 100 } : {}),
      ...(next === 'steps' && !e.steps?.length ? { steps: [{ from: 10_000, points: 10 * 10 ** decimalsOf(e.currency ?? '') }] } : {}),
    },
    ...(next === 'multiplier' && !def.stack?.stage && !def.stack?.group ? { stack: { ...def.stack, stage: 10 } } : {}),
  });
  const currency = <Select {...loose} aria-label={t('then.currency')} disabled={disabled} value={e.currency} options={options} onChange={(code: string) => put('effect', { currency: code })} />;
  const points = <PointsInput label={t('then.points')} currency={e.currency} value={e.points} disabled={disabled} onChange={(n) => put('effect', { points: n })} />;
  return (
    <Clause word={t('clause.then')} faults={['effect', 'caps']}>
      <div className={styles.line}>
        <Select {...loose} aria-label={t('then.kind')} disabled={disabled} value={e.kind} options={kinds.filter((k) => sale || k === 'fixed' || k === 'tag').map((value) => ({ value, label: t(`then.kinds.${value}`) }))} onChange={kind} />
        {e.kind === 'per_amount' && <Sentence text={t('then.per_amount')} parts={{ per: <MoneyInput label={t('then.per')} value={e.per} disabled={disabled} onChange={(per) => put('effect', { per })} />, points, currency }} />}
        {e.kind === 'fixed' && (
          <Sentence
            text={t(sale ? 'then.fixed' : 'then.fixedOnce')}
            parts={{
              each: <Select {...loose} aria-label={t('then.each')} disabled={disabled} value={e.each ?? 'once'} options={(['once', 'line', 'piece'] as const).map((value) => ({ value, label: t(`then.eachOf.${value}`) }))} onChange={(each) => put('effect', { each })} />,
              points,
              currency,
            }}
          />
        )}
        {e.kind === 'multiplier' && (
          <Sentence
            text={t('then.multiplier')}
            parts={{
              currency,
              factor: <CountFactor value={e.percent} disabled={disabled} label={t('then.factor')} onChange={(percent) => put('effect', { percent })} />,
              base: <Select {...loose} aria-label={t('then.base')} disabled={disabled} value={def.stack?.base ?? 'running'} options={(['running', 'initial'] as const).map((value) => ({ value, label: t(`then.bases.${value}`) }))} onChange={(base) => put('stack', { base })} />,
            }}
          />
        )}
        {e.kind === 'steps' && currency}
        {e.kind === 'tag' && <Input aria-label={t('then.tag')} placeholder={t('then.tag')} style={{ width: 200 }} maxLength={60} disabled={disabled} value={e.tag ?? ''} onChange={(ev) => put('effect', { tag: ev.target.value })} />}
      </div>
      {e.kind === 'steps' && <Steps />}
      {there.map((c) => (
        <Line key={c} remove={t('then.off', { what: t(`cap.${c}`) })} onRemove={() => {
          setShown(shown.filter((x) => x !== c));
          put('caps', { [c]: undefined });
        }}>
          <Sentence text={t(`most.${c}`)} parts={{ n: c.startsWith('times') ? <CountInput label={t(`cap.${c}`)} unit={t('then.times')} value={caps[c]} disabled={disabled} onChange={(n) => put('caps', { [c]: n })} /> : <PointsInput label={t(`cap.${c}`)} currency={e.currency} value={caps[c]} disabled={disabled} onChange={(n) => put('caps', { [c]: n })} /> }} />
        </Line>
      ))}
      <AddLine label={t('then.cap')} items={capKeys.filter((c) => !there.includes(c) && (e.kind !== 'tag' || c.startsWith('times'))).map((key) => ({ key, label: t(`cap.${key}`) }))} onAdd={(c) => setShown([...shown, c])} />
      {e.kind !== 'tag' && (
        <details className={styles.more} open={Boolean(e.pending_days || e.expires_after_days || e.carry || e.earns_on_points || e.earns_on_coupons || (e.rounding && e.rounding !== 'floor'))}>
          <summary id={more}>{t('then.more')}</summary>
          <div className={styles.rows} role="group" aria-labelledby={more}>
            <Sentence
              text={t('then.life')}
              parts={{
                pending: <CountInput label={t('then.pending')} unit={t('then.days')} max={365} placeholder={t('then.asCurrency')} value={e.pending_days || undefined} disabled={disabled} onChange={(n) => put('effect', { pending_days: n })} />,
                expires: <CountInput label={t('then.expires')} unit={t('then.days')} max={3660} placeholder={t('then.asCurrency')} value={e.expires_after_days || undefined} disabled={disabled} onChange={(n) => put('effect', { expires_after_days: n })} />,
              }}
            />
            <p className={styles.hint}>{t('then.lifeHelp')}</p>
            {(e.kind === 'per_amount' || e.kind === 'multiplier' || e.kind === 'steps') && (
              <div className={styles.line}>
                <span>{t('then.rounding')}</span>
                <Select
                  {...loose}
                  aria-label={t('then.rounding')}
                  disabled={disabled}
                  value={e.carry ? 'carry' : (e.rounding ?? 'floor')}
                  options={([...(e.kind === 'steps' ? [] : (['carry'] as const)), 'floor', 'half_up', 'half_even', 'ceil'] as const).map((value) => ({ value, label: t(`then.roundings.${value}`) }))}
                  onChange={(v) => put('effect', v === 'carry' ? { carry: true, rounding: 'floor' } : { carry: false, rounding: v as 'floor' })}
                />
              </div>
            )}
            {sale && (e.kind === 'per_amount' || e.kind === 'steps') && (
              <div className={styles.line}>
                <Checkbox disabled={disabled} checked={e.earns_on_points ?? false} onChange={(ev) => put('effect', { earns_on_points: ev.target.checked })}>{t('then.onPoints')}</Checkbox>
                <Checkbox disabled={disabled} checked={e.earns_on_coupons ?? false} onChange={(ev) => put('effect', { earns_on_coupons: ev.target.checked })}>{t('then.onCoupons')}</Checkbox>
              </div>
            )}
          </div>
        </details>
      )}
    </Clause>
  );
}

/** A factor in hundredths, written as 1.5. */
function CountFactor({ value, label, disabled, onChange }: { value: number | undefined; label: string; disabled: boolean; onChange: (percent: number | undefined) => void }) {
  return <PlainNumber label={label} value={value === undefined ? undefined : value / 100} disabled={disabled} onChange={(n) => onChange(n === undefined ? undefined : Math.round(n * 100))} />;
}

function PlainNumber({ value, label, disabled, onChange }: { value: number | undefined; label: string; disabled: boolean; onChange: (n: number | undefined) => void }) {
  return <Input type="number" inputMode="decimal" step="0.1" min={1} style={{ width: 84 }} aria-label={label} disabled={disabled} value={value ?? ''} onChange={(e) => onChange(e.target.value === '' ? undefined : Number(e.target.value))} />;
}

function Steps() {
  const { t } = useTranslation('rule');
  const { def, put, disabled } = useDraft();
  const e = def.effect;
  const steps = e.steps ?? [];
  const graduated = (steps[0]?.per ?? 0) > 0;
  const write = (i: number, patch: Partial<(typeof steps)[number]>) => put('effect', { steps: steps.map((s, j) => (j === i ? { ...s, ...patch } : s)) });
  return (
    <div className={styles.steps}>
      <div className={styles.line}>
        <Select
          {...loose}
          aria-label={t('step.kind')}
          disabled={disabled}
          value={graduated ? 'graduated' : 'whole'}
          options={(['whole', 'graduated'] as const).map((value) => ({ value, label: t(`step.${value}`) }))}
          onChange={(v) => put('effect', { steps: steps.map((s) => ({ from: s.from, points: s.points, ...(v === 'graduated' ? { per: 100 } : {}) })) })}
        />
      </div>
      {steps.map((s, i) => (
        <Line key={i} remove={t('step.off', { n: i + 1 })} onRemove={() => put('effect', { steps: steps.filter((_, j) => j !== i) })}>
          <Sentence
            text={t(graduated ? 'step.graduatedLine' : 'step.wholeLine')}
            parts={{
              from: <MoneyInput label={t('step.from', { n: i + 1 })} value={s.from} disabled={disabled} onChange={(n) => write(i, { from: n ?? 0 })} />,
              per: <MoneyInput label={t('step.per', { n: i + 1 })} value={s.per} disabled={disabled} onChange={(n) => write(i, { per: n ?? 0 })} />,
              points: <PointsInput label={t('step.points', { n: i + 1 })} currency={e.currency} value={s.points} disabled={disabled} onChange={(n) => write(i, { points: n ?? 0 })} />,
            }}
          />
        </Line>
      ))}
      {!disabled && steps.length < 20 && (
        <div className={styles.add} style={{ marginLeft: 0 }}>
          <button type="button" className="word" onClick={() => {
            const last = steps.at(-1);
            put('effect', { steps: [...steps, { from: (last?.from ?? 0) + 10_000, points: (last?.points ?? 0) * 2 || 10, ...(graduated ? { per: last?.per ?? 100 } : {}) }] });
          }}>{t('step.add')}</button>
        </div>
      )}
    </div>
  );
}

/** How it goes together with others, and how much it may give in all. */
export function WithClause() {
  const { t } = useTranslation('rule');
  const { def, put, disabled } = useDraft();
  const groups = useGroups();
  const nameOf = useRuleName();
  const { language } = useFormat();
  const s = def.stack ?? {};
  const group = groups.find((g) => g.code === s.group);
  return (
    <Clause word={t('clause.with')} faults={['stack']}>
      <div className={styles.line}>
        <Select
          {...loose}
          aria-label={t('with.group')}
          disabled={disabled}
          value={s.group ?? ''}
          options={[{ value: '', label: t('with.alone') }, ...groups.map((g) => ({ value: g.code, label: language === 'zh-CN' ? `${nameOf(g)}：${t(`mode.${g.mode}`)}` : `${nameOf(g)}: ${t(`mode.${g.mode}`)}` }))]}
          onChange={(code: string) => put('stack', { group: code || undefined })}
        />
        {group?.mode === 'first' && <Sentence text={t('with.priority')} parts={{ n: <CountInput label={t('with.priorityLabel')} max={999} value={s.priority ?? 0} disabled={disabled} onChange={(priority) => put('stack', { priority })} /> }} />}
        {!group && <Sentence text={t('with.stage')} parts={{ n: <CountInput label={t('column.stage')} max={99} value={s.stage ?? 0} disabled={disabled} onChange={(stage) => put('stack', { stage })} /> }} />}
      </div>
      <p className={styles.hint}>{group ? t('with.groupHelp', { stage: group.stage }) : t('with.stageHelp')}</p>
      {def.effect.kind !== 'tag' && (
        <Sentence
          text={t('with.budget')}
          parts={{ n: <PointsInput label={t('column.budget')} placeholder={t('noBudget')} currency={def.effect.currency} value={def.caps?.budget || undefined} disabled={disabled} onChange={(budget) => put('caps', { budget })} /> }}
        />
      )}
    </Clause>
  );
}
