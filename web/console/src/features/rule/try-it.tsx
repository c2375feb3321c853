import { api, ok } from '@patron/shared/api/client.ts';
import { asProblem } from '@patron/shared/api/problem.ts';
import type { TryRulesTryInBody } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Checkbox, DatePicker, Select } from 'antd';
import dayjs from 'dayjs';
import { useDeferredValue, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Amount } from '../../ui/amount.tsx';
import { RuleTrace } from '../../ui/rule-trace.tsx';
import { useStores } from '../../frame/lookups.ts';
import type { Definition } from './api.ts';
import { useDraft } from './draft.ts';
import editor from './editor.module.css';
import { CountInput, MoneyInput } from './inputs.tsx';
import { useProducts } from './pickers.tsx';
import styles from './try-it.module.css';

interface Line {
  sku?: string;
  quantity: number;
  amount: number;
}

/** What is tried: kept while one writes, so that each change of the rule shows at once. */
export function TryIt({ def, ready }: { def: Definition; ready: boolean }) {
  const { t } = useTranslation('rule');
  const { zone } = useFormat();
  const { disabled } = useDraft();
  const stores = useStores();
  const [member, setMember] = useState<string>();
  const [store, setStore] = useState<string>();
  const [at, setAt] = useState<dayjs.Dayjs | null>(null);
  const [birthday, setBirthday] = useState(false);
  const [alone, setAlone] = useState(false);
  const [lines, setLines] = useState<Line[]>([{ quantity: 1, amount: 10_000 }]);
  const on = def.trigger.on;
  const sale = on === 'sale';
  const when = at ? at.format('YYYY-MM-DDTHH:mm:ss') : undefined; // in the programme's zone, as it was chosen
  const day = (at ?? dayjs(new Date().toLocaleString('sv-SE', { timeZone: zone }).replace(' ', 'T'))).format('MM-DD');
  const body: TryRulesTryInBody = {
    rules: [def],
    ...(alone ? { only: true } : {}),
    ...(when ? { at: when } : {}),
    ...(member ? { member } : {}),
    ...(birthday ? { who: { birthday: day } } : {}),
    ...(sale ? { sale: { lines: lines.map((l) => ({ amount: l.amount, ...(l.quantity !== 1 ? { quantity: l.quantity } : {}), ...(l.sku ? { sku: l.sku } : {}) })), ...(store ? { store } : {}) } } : on === 'event' ? { event: { type: def.trigger.event ?? 'visit' } } : { trigger: on }),
  };
  const asked = useDeferredValue(JSON.stringify(body));
  const result = useQuery({
    queryKey: ['rule-try', asked],
    queryFn: () => ok(api.POST('/v1/rules/try', { body: JSON.parse(asked) as TryRulesTryInBody })),
    enabled: ready && (!sale || lines.length > 0),
    placeholderData: keepPreviousData,
    retry: false,
    gcTime: 30_000,
  });
  const mine = result.data?.rules?.find((d) => d.rule.split('@')[0] === def.code);
  return (
    <div className={styles.try}>
      <h2 className={editor.side}>{t('try.title')}<small>{t('try.note')}</small></h2>
      <div className={styles.grid}>
        <label className={styles.wide}><span>{t('try.member')}</span><MemberPick value={member} onChange={setMember} /></label>
        {sale && <label><span>{t('try.store')}</span><Select allowClear showSearch={{ optionFilterProp: 'label' }} popupMatchSelectWidth={false} placeholder={t('try.anyStore')} value={store} options={stores.options} onChange={(v?: string) => setStore(v)} /></label>}
        <label className={sale ? undefined : styles.wide}><span>{t('try.at')}</span><DatePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" needConfirm={false} placeholder={t('try.now')} value={at} onChange={(d: dayjs.Dayjs | null) => setAt(d)} /></label>
      </div>
      {sale && (
        <div className={styles.lines}>
          {lines.map((l, i) => (
            <TryLine key={i} n={i + 1} line={l} onChange={(next) => setLines(lines.map((o, j) => (j === i ? next : o)))} onRemove={lines.length > 1 ? () => setLines(lines.filter((_, j) => j !== i)) : undefined} />
          ))}
          <div><button type="button" className="word" onClick={() => setLines([...lines, { quantity: 1, amount: 5_000 }])}>{t('try.addLine')}</button></div>
        </div>
      )}
      <div className={styles.ifs}>
        {!member && <Checkbox checked={birthday} onChange={(e) => setBirthday(e.target.checked)}>{t('try.birthday')}</Checkbox>}
        <Checkbox checked={alone} onChange={(e) => setAlone(e.target.checked)}>{t('try.alone')}</Checkbox>
      </div>
      {!ready ? <p className={editor.hint}>{t(disabled ? 'try.off' : 'try.notReady')}</p>
        : result.error ? <p className={editor.fault} role="alert">{asProblem(result.error).message}</p>
          : result.data && (
            <div data-old={result.isPlaceholderData || undefined} className={styles.result} aria-live="polite">
              <div className={styles.out}>
                <div className={styles.total}>
                  <span>{t('try.gets')}</span>
                  <span>{(result.data.points ?? []).filter((p) => p.amount !== 0).map((p) => <b key={p.currency}><Amount amount={p.amount} currency={p.currency} signed /></b>)}{!(result.data.points ?? []).some((p) => p.amount !== 0) && <b className={styles.none}>{t('try.nothing')}</b>}</span>
                </div>
                {mine && <p>{mine.amount && mine.currency ? <>{t('try.ofThis')} <Amount amount={mine.amount} currency={mine.currency} signed /></> : t('try.thisNothing')}</p>}
                {result.data.tags?.length ? <p>{t('try.tags', { tags: result.data.tags.join(', ') })}</p> : null}
              </div>
              <h3 className={styles.how}>{t('try.how')}<small>{t('try.rules', { count: result.data.rules?.length ?? 0 })}</small></h3>
              <RuleTrace decisions={result.data.rules ?? []} draft={def.code} />
            </div>
          )}
    </div>
  );
}

function TryLine({ n, line, onChange, onRemove }: { n: number; line: Line; onChange: (line: Line) => void; onRemove?: () => void }) {
  const { t } = useTranslation('rule');
  const { found, options, onSearch } = useProducts(line.sku ? [line.sku] : []);
  return (
    <div className={styles.line}>
      <Select
        allowClear
        className={styles.product}
        popupMatchSelectWidth={260}
        aria-label={t('try.product', { n })}
        placeholder={t('try.anyProduct')}
        showSearch={{ filterOption: false, onSearch }}
        value={line.sku}
        options={options}
        onChange={(sku?: string) => {
          const price = found.find((p) => p.sku === sku)?.price?.amount;
          onChange({ ...line, sku, amount: price ? price * line.quantity : line.amount });
        }}
      />
      <CountInput label={t('try.quantity', { n })} unit="×" min={1} max={9999} value={line.quantity} onChange={(q) => onChange({ ...line, quantity: q ?? 1, amount: Math.round((line.amount / line.quantity) * (q ?? 1)) })} />
      <MoneyInput label={t('try.amount', { n })} value={line.amount} onChange={(amount) => onChange({ ...line, amount: amount ?? 0 })} />
      {onRemove && <button type="button" className={editor.remove} aria-label={t('try.removeLine', { n })} onClick={onRemove}><Icon name="close" size={16} /></button>}
    </div>
  );
}

/** A real member, found by name, phone, card or number; nobody is a made-up one. */
function MemberPick({ value, onChange }: { value: string | undefined; onChange: (id: string | undefined) => void }) {
  const { t } = useTranslation('rule');
  const [q, setQ] = useState('');
  const found = useQuery({
    queryKey: ['members', 'pick', q],
    queryFn: () => ok(api.GET('/v1/members', { params: { query: { q, limit: 8 } } })),
    enabled: q.length > 1,
    placeholderData: keepPreviousData,
    retry: false,
  });
  const [chosen, setChosen] = useState<{ value: string; label: string }>();
  const options = (q.length > 1 ? (found.data?.items ?? []) : []).map((m) => ({ value: m.id, label: [m.name, m.number].filter(Boolean).join(' · ') }));
  return (
    <Select
      allowClear
      showSearch={{ filterOption: false, onSearch: (text) => setQ(text.trim()) }}
      placeholder={t('try.madeUp')}
      notFoundContent={t(q.length > 1 && !found.isFetching ? 'try.noMember' : 'try.typeMember')}
      value={value}
      options={chosen && !options.some((o) => o.value === chosen.value) ? [chosen, ...options] : options}
      onChange={(id: string | undefined, option) => {
        setChosen(id ? (option as { value: string; label: string }) : undefined);
        onChange(id);
      }}
    />
  );
}
