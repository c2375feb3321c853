import { api, ok } from '@patron/shared/api/client.ts';
import type { PriceListView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useQuery } from '@tanstack/react-query';
import { App, Button, DatePicker, Form, Input, Select, Skeleton } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { kept, useUnsaved } from '../../frame/unsaved.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { StoreSelect } from '../../ui/place-select.tsx';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { Section } from '../../ui/section.tsx';
import { ErrorState, NotFoundState } from '../../ui/states.tsx';
import { useStandings } from './audience.ts';
import { Items } from './items.tsx';
import styles from './price.module.css';
import { State } from './state.tsx';

/** One price list: for whom, where and when it is, and what it says of products. */
export default function PricePage() {
  const { t } = useTranslation('price');
  const { id = '' } = useParams();
  const fresh = id === 'new';
  const one = useQuery({ queryKey: ['prices', 'one', id], enabled: !fresh, queryFn: () => ok(api.GET('/v1/price-lists/{id}', { params: { path: { id } } })) });
  if (fresh || one.data) return <Edit key={fresh ? 'new' : `${one.data!.id} ${one.data!.version}`} list={one.data} />;
  return (
    <Page title={id} crumbs={[{ to: '/prices', title: t('menu') }]}>
      <Section>{one.error?.status === 404 ? <NotFoundState /> : one.error ? <ErrorState error={one.error} retry={() => void one.refetch()} /> : <Skeleton active paragraph={{ rows: 8 }} />}</Section>
    </Page>
  );
}

interface Values {
  code?: string;
  name_zh?: string;
  name_en?: string;
  tiers?: string[];
  plans?: string[];
  audience?: string;
  stores?: string[];
  channels?: string[];
  days?: [Dayjs | null, Dayjs | null] | null;
}

type Act = 'publish' | 'pause' | 'remove';

const acts: Record<PriceListView['state'], Act[]> = { draft: ['remove', 'publish'], scheduled: ['pause'], live: ['pause'], paused: ['remove', 'publish'], ended: ['pause'] };

function Edit({ list }: { list: PriceListView | undefined }) {
  const { t } = useTranslation('price');
  const { named } = useFormat();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const standings = useStandings();
  const may = useCan()('rules.write');
  const [form] = Form.useForm<Values>();
  const [dirty, setDirty] = useState(false);
  const [act, setAct] = useState<Act>();
  useUnsaved(dirty);
  const save = useWrite(
    ({ code, days, ...v }: Values, key) => {
      const params = { header: { 'Idempotency-Key': key } };
      const terms = { ...v, from: days?.[0]?.toISOString(), until: days?.[1]?.toISOString() };
      if (!list) return ok(api.POST('/v1/price-lists', { body: { code: code ?? '', ...terms }, params }));
      return ok(api.PUT('/v1/price-lists/{id}', { body: { version: list.version, ...terms }, params: { ...params, path: { id: list.id } } }));
    },
    {
      invalidates: [['prices']],
      onSuccess: (out) => {
        setDirty(false);
        void message.success(t('saved'));
        if (!list) void navigate(`/prices/${out.code}`, kept);
      },
    },
  );
  const go = useWrite(
    async (what: Act, key) => {
      const params = { path: { id: list!.id }, header: { 'Idempotency-Key': key } };
      if (what === 'remove') await ok(api.DELETE('/v1/price-lists/{id}', { params }));
      else await ok(api.POST(`/v1/price-lists/{id}/${what}`, { params }));
      return what;
    },
    {
      invalidates: [['prices']],
      onSuccess: (what) => {
        setAct(undefined);
        if (what === 'remove') void navigate('/prices', kept);
      },
    },
  );
  const offered = list ? acts[list.state] : [];
  const initial: Values = list
    ? {
      name_zh: list.name_zh, name_en: list.name_en, tiers: list.tiers ?? [], plans: list.plans ?? [], audience: list.audience, stores: list.stores ?? [], channels: list.channels ?? [],
      days: list.from || list.until ? [list.from ? dayjs(list.from) : null, list.until ? dayjs(list.until) : null] : null,
    }
    : {};
  return (
    <Page
      title={list ? named(list) || list.code : t('add')}
      crumbs={[{ to: '/prices', title: t('menu') }]}
      actions={may && (
        <>
          {offered.map((a) => <Button key={a} danger={a === 'remove'} type={a === 'publish' && !dirty ? 'primary' : 'default'} disabled={dirty} title={dirty ? t('saveFirst') : undefined} onClick={() => setAct(a)}>{t(`act.${a}`)}</Button>)}
          <Button type={offered.includes('publish') && !dirty ? 'default' : 'primary'} disabled={list && !dirty} loading={save.isPending} onClick={() => form.submit()}>{list ? t('save') : t('make')}</Button>
        </>
      )}
    >
      <Section>
        {list && <p style={{ marginBottom: 16 }}><State state={list.state} /></p>}
        <ProblemForm<Values> form={form} error={save.error} className={styles.form} disabled={!may} initialValues={initial} onValuesChange={() => setDirty(true)} onFinish={(v) => save.mutate(v)}>
          <div className={styles.pair}>
            <Form.Item name="name_zh" label={t('field.nameZh')}><Input maxLength={100} /></Form.Item>
            <Form.Item name="name_en" label={t('field.nameEn')}><Input maxLength={100} /></Form.Item>
            {!list && <Form.Item name="code" label={t('field.code')} extra={t('field.codeHelp')} rules={[{ required: true, message: t('needed') }]}><Input maxLength={40} /></Form.Item>}
          </div>
          <div className={styles.pair}>
            <Form.Item name="tiers" label={t('field.tiers')} extra={t('field.whoHelp')}><Select mode="multiple" allowClear placeholder={t('all')} options={standings.tiers} /></Form.Item>
            <Form.Item name="plans" label={t('field.plans')}><Select mode="multiple" allowClear placeholder={t('all')} options={standings.plans} /></Form.Item>
            <Form.Item name="stores" label={t('field.stores')}><StoreSelect mode="multiple" allowClear placeholder={t('all')} /></Form.Item>
            <Form.Item name="channels" label={t('field.channels')} extra={t('field.channelsHelp')}><Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[',', '，', ' ']} /></Form.Item>
          </div>
          <Form.Item name="days" label={t('field.days')}><DatePicker.RangePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" allowEmpty={[true, true]} style={{ width: 340 }} /></Form.Item>
          <Form.Item name="audience" label={t('field.audience')} extra={t('field.audienceHelp')}><Input.TextArea autoSize={{ minRows: 1 }} style={{ fontFamily: 'ui-monospace, monospace' }} /></Form.Item>
        </ProblemForm>
      </Section>
      {list && <Items list={list} may={may} />}
      {act && (
        <ConfirmDialog open title={t(`sure.${act}`, { name: named(list!) || list!.code })} act={t(`act.${act}`)} cancel={t('cancel')} danger={act === 'remove'} pending={go.isPending} error={go.error} onOk={() => go.mutate(act)} onCancel={() => setAct(undefined)}>
          {t(`means.${act}`)}
        </ConfirmDialog>
      )}
    </Page>
  );
}
