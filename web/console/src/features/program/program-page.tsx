import { api, ok } from '@patron/shared/api/client.ts';
import { ApiProblem } from '@patron/shared/api/problem.ts';
import type { ProgramSettingsView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { App, Button, Form, Input, InputNumber, Select, Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Navigate } from 'react-router';
import { useCurrencies } from '../../frame/lookups.ts';
import { programQuery, useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { useUnsaved } from '../../frame/unsaved.tsx';
import type { Change } from '../../ui/change-list.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { StoreSelect } from '../../ui/place-select.tsx';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { Section, WithAside } from '../../ui/section.tsx';
import { SettingsTabs, useSettingsPages } from '../../ui/settings-tabs.tsx';
import { ErrorState, ForbiddenState } from '../../ui/states.tsx';
import { ColorField, isColor } from './color-field.tsx';
import { changesOf, languageSets, majorOf, minorOf, type Values, valuesOf } from './settings.ts';
import { Logo } from './logo.tsx';
import { Modules } from './modules.tsx';
import { OfflineSection } from './offline-section.tsx';
import { PortalPreview } from './portal-preview.tsx';
import { ZoneSelect } from './zone-select.tsx';
import styles from './program-page.module.css';

/** How the programme is called, where its day begins, what it counts in, how members see it, and which parts are in use. */
export default function ProgramPage() {
  const { t } = useTranslation('program');
  const can = useCan();
  const [first] = useSettingsPages();
  const program = useQuery({ ...programQuery, enabled: can('program.manage') });
  // Who may manage staff or keys alone has a settings page, and it is not this one.
  if (!can('program.manage')) return first && can(['staff.manage', 'keys.manage']) ? <Navigate to={first.to} replace /> : <Page title={t('frame:settings.menu')}><Section><ForbiddenState needs="program.manage" /></Section></Page>;
  if (program.data) return <Edit settings={program.data} />;
  return (
    <Page title={t('frame:settings.menu')}>
      <SettingsTabs />
      <Section>{program.error ? <ErrorState error={program.error} retry={() => void program.refetch()} /> : <Skeleton active paragraph={{ rows: 12 }} />}</Section>
    </Page>
  );
}

/** Of these a change reaches far: it is shown before it is made. */
const grave = ['zone', 'currency'] as const;

function Edit({ settings }: { settings: ProgramSettingsView }) {
  const { t, i18n } = useTranslation('program');
  const { message } = App.useApp();
  const client = useQueryClient();
  const points = useCurrencies();
  const [form] = Form.useForm<Values>();
  // What the form was filled with. A colleague's change that comes in meanwhile is not overwritten: the version tells.
  const [base, setBase] = useState(settings);
  const values = (Form.useWatch([], { form, preserve: true }) as Values | undefined) ?? valuesOf(base);
  const changes = changesOf(base, values);
  const changed = Object.keys(changes).length > 0;
  const [asking, setAsking] = useState(false);
  useUnsaved(changed);

  function take(now: ProgramSettingsView) {
    client.setQueryData(programQuery.queryKey, now);
    setBase(now);
  }
  const save = useWrite((body: ReturnType<typeof changesOf>, key) => ok(api.PATCH('/v1/program', { body: { ...body, version: base.version }, params: { header: { 'Idempotency-Key': key } } })), {
    onSuccess: (now) => {
      take(now);
      form.setFieldsValue(valuesOf(now));
      setAsking(false);
      void message.success(t('settings.saved'));
    },
  });
  const stale = save.error instanceof ApiProblem && save.error.code === 'program.changed';
  const reread = async () => {
    const now = await client.fetchQuery({ ...programQuery, staleTime: 0 });
    take(now);
    form.setFieldsValue(valuesOf(now));
    save.reset();
  };
  const money = useMoneyNames(i18n.language);
  const list: Change[] = grave.filter((name) => changes[name] !== undefined).map((name) => ({ label: t(`settings.${name}`), before: base[name], after: changes[name] }));

  return (
    <Page title={t('frame:settings.menu')}>
      <SettingsTabs />
      <WithAside aside={<div className={styles.sticky}><PortalPreview settings={base} values={values} /></div>}>
        <ProblemForm<Values>
          form={form}
          error={asking ? null : save.error}
          initialValues={valuesOf(base)}
          onFinish={() => (list.length > 0 ? setAsking(true) : save.mutate(changes))}
        >
          {stale && <Section><Button onClick={() => void reread()}>{t('settings.reread')}</Button></Section>}
          <Section title={t('settings.name')} note={t('settings.nameNote')}>
            <div className={styles.pair}>
              <Form.Item name="name_zh" label={t('field.nameZh')} rules={[{ required: true, whitespace: true, message: t('settings.nameNeeded') }]}><Input maxLength={200} lang="zh-CN" /></Form.Item>
              <Form.Item name="name_en" label={t('field.nameEn')} rules={[{ required: true, whitespace: true, message: t('settings.nameNeeded') }]}><Input maxLength={200} lang="en" /></Form.Item>
            </div>
            <Form.Item name="languages" label={t('settings.languages')} extra={t('settings.languagesHelp')}>
              <Select style={{ maxWidth: 320 }} options={languageSets.map((set) => ({ value: set, label: t(`languages.${set}`) }))} />
            </Form.Item>
          </Section>
          <Section title={t('settings.count')} note={t('settings.countNote')}>
            <div className={styles.pair}>
              <Form.Item name="zone" label={t('settings.zone')} extra={t('settings.zoneHelp')}><ZoneSelect /></Form.Item>
              <Form.Item name="currency" label={t('settings.currency')} extra={t('settings.currencyHelp')}>
                <Select showSearch={{ optionFilterProp: 'label' }} options={money} />
              </Form.Item>
            </div>
            <Form.Item name="default_store" label={t('settings.defaultStore')} extra={t('settings.defaultStoreHelp')}><StoreSelect open="only" style={{ maxWidth: 320 }} /></Form.Item>
          </Section>
          <Section title={t('earning.title')} note={t('earning.note')}>
            <div className={styles.sentence}>
              <span>{t('earning.every')}</span>
              <Form.Item noStyle name={['earning', 'per']} getValueProps={(v: number) => ({ value: majorOf(v, values.currency) })} normalize={(v: number | null) => minorOf(v ?? 0, values.currency)}>
                <InputNumber aria-label={t('earning.per')} min={majorOf(1, values.currency)} suffix={values.currency} style={{ width: 128 }} />
              </Form.Item>
              <span>{t('earning.earns')}</span>
              <Form.Item noStyle name={['earning', 'points']}><InputNumber aria-label={t('earning.points')} min={0} max={1_000_000} precision={0} style={{ width: 96 }} /></Form.Item>
              <Form.Item noStyle name={['earning', 'currency']}><Select aria-label={t('earning.currency')} style={{ minWidth: 120 }} options={points.options} /></Form.Item>
            </div>
            <div className={styles.sentence}>
              <span>{t('earning.fraction')}</span>
              <Form.Item noStyle name={['earning', 'rounding']}>
                <Select aria-label={t('earning.rounding')} style={{ minWidth: 190 }} options={(['floor', 'half_up', 'half_even', 'ceil'] as const).map((value) => ({ value, label: t(`earning.roundings.${value}`) }))} />
              </Form.Item>
            </div>
            <div className={styles.sentence}>
              <span>{t('earning.usable')}</span>
              <Form.Item noStyle name={['earning', 'pending_days']}><InputNumber aria-label={t('earning.pending')} min={0} max={365} precision={0} style={{ width: 80 }} /></Form.Item>
              <span>{t('earning.days')}</span>
            </div>
          </Section>
          <OfflineSection currency={values.currency} />
          <Section title={t('brand.title')} note={t('brand.note')}>
            <Form.Item name={['brand', 'color']} label={t('brand.color')} extra={t('brand.colorHelp')} rules={[{ validator: (_, v?: string) => (!v || isColor(v) ? Promise.resolve() : Promise.reject(new Error(t('brand.colorNeeded')))) }]}>
              <ColorField />
            </Form.Item>
            <div className={styles.pair}>
              <Form.Item name={['brand', 'tagline_zh']} label={t('brand.taglineZh')}><Input maxLength={60} lang="zh-CN" /></Form.Item>
              <Form.Item name={['brand', 'tagline_en']} label={t('brand.taglineEn')}><Input maxLength={60} lang="en" /></Form.Item>
            </div>
            <Logo settings={base} onChange={(now) => setBase((b) => ({ ...b, version: now.version, brand: { ...b.brand, logo_url: now.brand.logo_url } }))} />
          </Section>
        </ProblemForm>
        <div className={styles.apart}><Modules settings={settings} onChange={(now) => setBase((b) => ({ ...b, version: now.version, modules: now.modules }))} /></div>
      </WithAside>
      {changed && (
        <div className={styles.bar}>
          <span>{t('settings.changed')}</span>
          <Button onClick={() => form.setFieldsValue(valuesOf(base))}>{t('settings.undo')}</Button>
          <Button type="primary" loading={save.isPending} onClick={() => form.submit()}>{t('settings.save')}</Button>
        </div>
      )}
      <ConfirmDialog
        open={asking}
        title={t('confirm.title')}
        change={list}
        act={t('confirm.act')}
        cancel={t('turn.cancel')}
        pending={save.isPending}
        error={save.error}
        onOk={() => save.mutate(changes)}
        onCancel={() => setAsking(false)}
      >
        {grave.filter((name) => changes[name] !== undefined).map((name) => <p className="lead" key={name}>{t(`confirm.${name}`)}</p>)}
      </ConfirmDialog>
    </Page>
  );
}

/** ISO 4217 with names in the person's language. */
function useMoneyNames(language: string) {
  const [list] = useState(() => Intl.supportedValuesOf('currency'));
  const names = new Intl.DisplayNames(language, { type: 'currency' });
  return list.map((code) => ({ value: code, label: `${code} ${names.of(code) ?? ''}` }));
}
