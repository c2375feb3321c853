import { api, ok } from '@patron/shared/api/client.ts';
import type { ApiProblem } from '@patron/shared/api/problem.ts';
import type { IntakeView, MemberAttribute, StartImportStartInBody } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useQuery } from '@tanstack/react-query';
import { Alert, Button, Checkbox, Form, Input, Select, Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useCan } from '../../frame/me.ts';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { Section } from '../../ui/section.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { WideTable } from '../../ui/wide-table.tsx';
import { previewQuery, type Preview } from './api.ts';
import styles from './import-page.module.css';
import { asked, chosen, guessed, lacking, samples, type Mapping } from './mapping.ts';

interface Props {
  it: IntakeView;
  start: { mutate: (body: StartImportStartInBody) => void; isPending: boolean; error: ApiProblem | null };
}

/** The second step: which column is what. It begins with what the server takes them for. */
export function MappingStep({ it, start }: Props) {
  const { t } = useTranslation('connect');
  const [sheet, setSheet] = useState<string>();
  const preview = useQuery(previewQuery(it.id, sheet));
  if (preview.error) return <Section><ErrorState error={preview.error} retry={() => (sheet ? setSheet(undefined) : void preview.refetch())} /></Section>;
  if (!preview.data) return <Section title={t('map.title')}><Skeleton active paragraph={{ rows: 8 }} /></Section>;
  return <Known key={sheet ?? ''} it={it} start={start} preview={preview.data} sheet={sheet} onSheet={setSheet} />;
}

type Values = Omit<StartImportStartInBody, 'mapping' | 'dry_run' | 'sheet'>;

function Known({ it, start, preview, sheet, onSheet }: Props & { preview: Preview; sheet: string | undefined; onSheet: (sheet: string | undefined) => void }) {
  const { t } = useTranslation('connect');
  const { named } = useFormat();
  const can = useCan();
  const [form] = Form.useForm<Values>();
  const [mapping, setMapping] = useState<Mapping>(() => guessed(preview));
  const from = Form.useWatch('document_from', form) ?? [];
  const attributes = useQuery({ queryKey: ['attributes'], queryFn: () => ok(api.GET('/v1/attributes')), enabled: it.kind === 'members' && can('members.read'), staleTime: 60_000 }).data?.items?.filter((a) => !a.archived) ?? [];
  const columns = preview.columns ?? [];
  const rows = (preview.rows ?? []).map((row) => row ?? []);
  const nameOf = (field: string) => {
    const own = attributes.find((a) => `attr.${a.key}` === field);
    return own ? named(labelled(own)) : field.includes('.') ? field : t(`field.${field === 'name' && it.kind === 'members' ? 'person' : field}`);
  };
  const options = [
    ...(preview.fields ?? []).map((f) => ({ value: f.name, label: nameOf(f.name) })),
    ...attributes.map((a) => ({ value: `attr.${a.key}`, label: t('map.attribute', { name: named(labelled(a)) }) })),
    ...(it.kind === 'events' ? columns.filter((c) => /^[a-z][a-z0-9_]*$/i.test(c)).map((c) => ({ value: `prop.${c}`, label: t('map.property', { name: c }) })) : []),
  ];
  const lacks = lacking((preview.needs ?? []).map((g) => g ?? []), mapping, from);
  const go = (dry: boolean) => {
    form.validateFields().then((v) => start.mutate({ ...tidy(v), mapping: asked(mapping), sheet, dry_run: dry }), () => undefined); // the form says what it misses
  };
  return (
    <>
      <Section title={t('map.title')} note={t('map.note')}>
        {preview.format === 'xlsx' && (
          <div className={styles.bar}>
            <label htmlFor="import-sheet">{t('map.sheet')}</label>
            <Input.Search id="import-sheet" defaultValue={sheet} allowClear placeholder={t('map.firstSheet')} style={{ width: 240 }} onSearch={(name) => onSheet(name.trim() || undefined)} />
          </div>
        )}
        {preview.encoding && <p className="quiet" style={{ marginBottom: 8 }}>{t('map.read', { encoding: preview.encoding, columns: columns.length })}</p>}
        <ul className={styles.columns}>
          {columns.map((name, at) => {
            const field = mapping[at];
            return (
              <li key={at}>
                <b>{name || t('map.unnamed', { n: at + 1 })}</b>
                <div className={styles.sample}>{samples(rows, at).join(t('map.comma')) || <span className="quiet">{t('map.emptyColumn')}</span>}</div>
                <div className={styles.pick}>
                  <Select
                    allowClear
                    aria-label={t('map.fieldOf', { column: name })}
                    placeholder={t('map.none')}
                    showSearch={{ optionFilterProp: 'label' }}
                    value={field}
                    options={options}
                    onChange={(next?: string) => setMapping(chosen(mapping, at, next))}
                  />
                  {field && !field.includes('.') && <span className="quiet">{t(`means.${field === 'name' && it.kind === 'members' ? 'person' : field}`)}</span>}
                </div>
              </li>
            );
          })}
        </ul>
        {lacks.length > 0 && <Alert style={{ marginTop: 12 }} type="warning" showIcon title={t('map.lacks')} description={lacks.map((g) => <div key={g.join()}>{g.map(nameOf).join(t('map.or'))}</div>)} />}
      </Section>
      <Section title={t('rows.title')} note={t('rows.note', { count: rows.length })}>
        <WideTable<Record<number, string>>
          size="small"
          rowKey={(row) => Object.values(row).join('\u0000')}
          dataSource={rows.map((row) => ({ ...row }))}
          columns={columns.map((name, i) => ({ key: i, dataIndex: i, title: <>{name}<span className={styles.field}>{mapping[i] ? nameOf(mapping[i]) : t('map.leftOut')}</span></> }))}
        />
        {(preview.unreadable ?? []).length > 0 && (
          <div className={styles.bad}>
            <b>{t('rows.bad')}</b>
            {(preview.unreadable ?? []).map((why) => <p key={why} style={{ color: 'var(--error)' }}>{t('rows.line', { why })}</p>)}
          </div>
        )}
      </Section>
      <Section title={t('option.title')}>
        <ProblemForm<Values> form={form} error={start.error} initialValues={{ source: 'import', history: it.kind === 'sales' || it.kind === 'events', create_members: it.kind === 'sales' }}>
          <div className={styles.options}>
            <Form.Item name="source" label={t('option.source')} extra={t('option.sourceHelp')} rules={[{ required: true, whitespace: true, message: t('option.sourceNeeded') }]}><Input maxLength={64} autoComplete="off" /></Form.Item>
            <Form.Item name="date_order" label={t('option.dates')} extra={t('option.datesHelp')}>
              <Select allowClear placeholder={t('option.datesAuto')} options={(['dmy', 'mdy'] as const).map((value) => ({ value, label: t(`option.${value}`) }))} />
            </Form.Item>
            {(it.kind === 'sales' || it.kind === 'products') && <Form.Item name="currency" label={t('option.currency')} extra={t('option.currencyHelp')}><Input maxLength={3} placeholder="CNY" autoComplete="off" /></Form.Item>}
            {it.kind === 'sales' && (
              <>
                <Form.Item name="returns_prefix" label={t('option.returns')} extra={t('option.returnsHelp')}><Input maxLength={20} autoComplete="off" /></Form.Item>
                {!mapping.includes('document') && (
                  <Form.Item name="document_from" label={t('option.document')} extra={t('option.documentHelp')}>
                    <Select mode="multiple" maxCount={6} options={mapping.filter((f): f is string => f !== undefined && ['member', 'at', 'store', 'till', 'staff', 'channel'].includes(f)).map((value) => ({ value, label: nameOf(value) }))} />
                  </Form.Item>
                )}
              </>
            )}
          </div>
          {it.kind !== 'members' && it.kind !== 'products' && (
            <div className={styles.checks}>
              <Form.Item name="create_members" valuePropName="checked" noStyle><Checkbox>{t('option.create')}</Checkbox></Form.Item>
              {it.kind !== 'balances' && <Form.Item name="history" valuePropName="checked" noStyle><Checkbox>{t('option.history')}</Checkbox></Form.Item>}
            </div>
          )}
        </ProblemForm>
        <div className={styles.go}>
          <Button type="primary" icon={<Icon name="upload" size={18} />} disabled={lacks.length > 0} loading={start.isPending} onClick={() => go(false)}>{t(`go.${it.kind}`)}</Button>
          <Button disabled={lacks.length > 0 || start.isPending} onClick={() => go(true)}>{t('go.try')}</Button>
        </div>
        <p className="quiet" style={{ marginTop: 8 }}>{t('go.note')}</p>
      </Section>
    </>
  );
}

/** What people call an attribute, as useFormat takes names. */
const labelled = (a: MemberAttribute) => ({ name_en: a.label_en || a.key, name_zh: a.label_zh || a.key });

/** Without what was left empty. */
function tidy(v: Values): Values {
  const currency = v.currency?.trim().toUpperCase();
  return {
    ...v,
    source: v.source.trim(),
    currency: currency || undefined,
    returns_prefix: v.returns_prefix?.trim() || undefined,
    document_from: v.document_from?.length ? v.document_from : undefined,
  };
}
