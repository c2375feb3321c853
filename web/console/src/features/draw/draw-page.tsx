import { api, ok } from '@patron/shared/api/client.ts';
import type { DrawView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { useQuery } from '@tanstack/react-query';
import { App, Button, DatePicker, Form, Input, InputNumber, Select, Skeleton } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';
import { currenciesQuery, useCurrencies } from '../../frame/lookups.ts';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { kept, useUnsaved } from '../../frame/unsaved.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { Section, WithAside } from '../../ui/section.tsx';
import { ErrorState, NotFoundState } from '../../ui/states.tsx';
import styles from './draw-page.module.css';
import { Epochs, Figures, Plays } from './figures.tsx';
import { OddsSum, PrizeFields, type Values as Terms } from './prizes-fields.tsx';
import { tones } from './words.tsx';

/** One draw: what can be won, how likely, and what it came to. */
export default function DrawPage() {
  const { t } = useTranslation('draw');
  const { id = '' } = useParams();
  const fresh = id === 'new';
  const one = useQuery({ queryKey: ['draws', 'one', id], enabled: !fresh, queryFn: () => ok(api.GET('/v1/draws/{id}', { params: { path: { id } } })) });
  const known = useQuery(currenciesQuery).data !== undefined;
  if (known && (fresh || one.data)) return <Edit key={fresh ? 'new' : `${one.data!.id} ${one.data!.version} ${one.data!.state}`} draw={one.data} />;
  return (
    <Page title={fresh ? t('add') : id} crumbs={[{ to: '/draws', title: t('menu') }]}>
      <Section>{one.error?.status === 404 ? <NotFoundState /> : one.error ? <ErrorState error={one.error} retry={() => void one.refetch()} /> : <Skeleton active paragraph={{ rows: 10 }} />}</Section>
    </Page>
  );
}

type Values = Omit<Terms, 'from' | 'until'> & { days?: [Dayjs | null, Dayjs | null] | null };
type Step = 'publish' | 'pause' | 'resume' | 'end';

const steps: Record<DrawView['state'], Step[]> = { draft: ['publish'], scheduled: ['pause', 'end'], live: ['pause', 'end'], paused: ['resume', 'end'], ended: [] };

function initialOf(draw: DrawView | undefined, currency: string | undefined): Values {
  if (!draw) return { code: '', look: 'wheel', epoch: 'day', free_per_day: 1, price: { currency, amount: undefined }, prizes: [{ code: 'prize-1', kind: 'points', currency, odds: 100_000 }] } as Values;
  const { code, name_en, name_zh, text_en, text_zh, look, epoch, audience, price, free_per_day, plays_per_day, plays_per_member, budget, guarantee, prizes } = draw;
  return {
    code, name_en, name_zh, text_en, text_zh, look, epoch, audience, price, free_per_day, plays_per_day, plays_per_member, budget, guarantee, prizes,
    days: draw.from || draw.until ? [draw.from ? dayjs(draw.from) : null, draw.until ? dayjs(draw.until) : null] : null,
  } as Values;
}

function Edit({ draw }: { draw: DrawView | undefined }) {
  const { t } = useTranslation('draw');
  const { named } = useFormat();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const currencies = useCurrencies();
  const spent = currencies.list.filter((c) => c.kind === 'points');
  const may = useCan()('rules.write') && draw?.state !== 'ended';
  const [form] = Form.useForm<Values>();
  const [dirty, setDirty] = useState(false);
  const [step, setStep] = useState<Step>();
  useUnsaved(dirty);
  const initial = initialOf(draw, spent[0]?.code);
  const values = (Form.useWatch([], { form, preserve: true }) as Values | undefined) ?? initial;
  const save = useWrite(
    (v: Values, key) => {
      const params = { header: { 'Idempotency-Key': key } };
      const { days, code, price, guarantee, ...rest } = v;
      const body = {
        ...rest, free_per_day: v.free_per_day ?? 0, plays_per_day: v.plays_per_day ?? 0, plays_per_member: v.plays_per_member ?? 0, budget: v.budget ?? 0,
        price: price?.amount ? price : {}, guarantee: guarantee?.after && guarantee.prize ? guarantee : {},
        prizes: (v.prizes ?? []).map((p) => ({ ...p, stock: p.stock ?? 0 })),
        from: days?.[0]?.startOf('minute').toISOString() ?? '', until: days?.[1]?.startOf('minute').toISOString() ?? '',
      };
      const sent = JSON.parse(JSON.stringify(body)) as Omit<Terms, 'code'>; // leaves out what is undefined
      if (!draw) return ok(api.POST('/v1/draws', { body: { ...sent, code }, params }));
      return ok(api.PATCH('/v1/draws/{id}', { body: { ...sent, prizes: sent.prizes ?? [], version: draw.version }, params: { ...params, path: { id: draw.id } } }));
    },
    {
      invalidates: [['draws']],
      onSuccess: (out) => {
        setDirty(false);
        void message.success(t('saved'));
        if (!draw) void navigate(`/draws/${out.id}`, kept);
      },
    },
  );
  const move = useWrite((to: Step, key) => {
    const params = { path: { id: draw!.id }, header: { 'Idempotency-Key': key } };
    if (to === 'publish') return ok(api.POST('/v1/draws/{id}/publish', { params }));
    if (to === 'pause') return ok(api.POST('/v1/draws/{id}/pause', { params }));
    if (to === 'resume') return ok(api.POST('/v1/draws/{id}/resume', { params }));
    return ok(api.POST('/v1/draws/{id}/end', { params }));
  }, { invalidates: [['draws']], onSuccess: () => setStep(undefined) });
  const name = draw ? named(draw) || draw.code : '';
  const terms = (
    <Section>
      {draw && <p style={{ marginBottom: 12 }}><StatusTag tone={tones[draw.state]}>{t(`state.${draw.state}`)}</StatusTag></p>}
      <ProblemForm<Values> form={form} error={save.error} className={styles.form} disabled={!may} initialValues={initial} onValuesChange={() => setDirty(true)} onFinish={() => save.mutate(form.getFieldsValue(true) as Values)}>
        <div className={styles.pair}>
          <Form.Item name="name_zh" label={t('field.nameZh')}><Input maxLength={100} /></Form.Item>
          <Form.Item name="name_en" label={t('field.nameEn')}><Input maxLength={100} /></Form.Item>
          {!draw && <Form.Item name="code" label={t('field.code')} extra={t('field.codeHelp')} rules={[{ required: true, message: t('field.codeNeeded') }]}><Input maxLength={40} /></Form.Item>}
          <Form.Item name="look" label={t('field.look')}><Select options={(['wheel', 'scratch', 'box'] as const).map((value) => ({ value, label: t(`look.${value}`) }))} /></Form.Item>
        </div>
        <div className={styles.pair}>
          <Form.Item name="text_zh" label={t('field.textZh')}><Input.TextArea autoSize={{ minRows: 2 }} maxLength={1000} /></Form.Item>
          <Form.Item name="text_en" label={t('field.textEn')}><Input.TextArea autoSize={{ minRows: 2 }} maxLength={1000} /></Form.Item>
        </div>
        <div className={styles.sentence}>
          <Form.Item name="free_per_day" label={t('field.free')}><InputNumber min={0} precision={0} style={{ width: 130 }} /></Form.Item>
          <Form.Item name={['price', 'amount']} label={t('field.price')}><InputNumber min={0} precision={0} placeholder={t('onlyFree')} style={{ width: 140 }} /></Form.Item>
          <Form.Item name={['price', 'currency']} label={t('field.currency')}><Select style={{ width: 150 }} options={spent.map((c) => ({ value: c.code, label: currencies.nameOf(c.code) }))} /></Form.Item>
          <Form.Item name="plays_per_day" label={t('field.perDay')}><InputNumber min={0} precision={0} placeholder={t('noBound')} style={{ width: 150 }} /></Form.Item>
          <Form.Item name="plays_per_member" label={t('field.perMember')}><InputNumber min={0} precision={0} placeholder={t('noBound')} style={{ width: 150 }} /></Form.Item>
          <Form.Item name="budget" label={t('field.budget')} extra={t('field.budgetHelp')}><InputNumber min={0} precision={0} placeholder={t('noBound')} style={{ width: 170 }} /></Form.Item>
        </div>
        <h3>{t('field.prizes')}</h3>
        <PrizeFields values={values as Terms} />
        <OddsSum values={values as Terms} />
        <div className={styles.sentence}>
          <Form.Item name={['guarantee', 'after']} label={t('field.after')}><InputNumber min={2} precision={0} placeholder={t('none')} style={{ width: 170 }} /></Form.Item>
          <Form.Item name={['guarantee', 'prize']} label={t('field.sure')}><Select allowClear style={{ width: 200 }} options={(values.prizes ?? []).filter((p) => p?.code).map((p) => ({ value: p.code, label: named(p) || p.code }))} /></Form.Item>
          <Form.Item name="days" label={t('field.days')}><DatePicker.RangePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" allowEmpty={[true, true]} style={{ width: 340 }} /></Form.Item>
          <Form.Item name="epoch" label={t('field.epoch')} extra={t('field.epochHelp')}><Select disabled={!may || (draw && draw.state !== 'draft')} style={{ width: 200 }} options={(['day', 'week', 'whole'] as const).map((value) => ({ value, label: t(`epoch.${value}`) }))} /></Form.Item>
        </div>
        <Form.Item name="audience" label={t('field.audience')} extra={t('field.audienceHelp')}><Input.TextArea autoSize={{ minRows: 1 }} style={{ fontFamily: 'ui-monospace, monospace' }} /></Form.Item>
      </ProblemForm>
    </Section>
  );
  return (
    <Page
      title={draw ? name : t('add')}
      crumbs={[{ to: '/draws', title: t('menu') }]}
      actions={may && (
        <>
          {(draw ? steps[draw.state] : []).map((s) => <Button key={s} danger={s === 'end'} type={s === 'publish' && !dirty ? 'primary' : 'default'} disabled={dirty} title={dirty ? t('saveFirst') : undefined} onClick={() => setStep(s)}>{t(`step.${s}`)}</Button>)}
          <Button type={dirty || !draw ? 'primary' : 'default'} disabled={draw && !dirty} loading={save.isPending} onClick={() => form.submit()}>{draw ? t('save') : t('make')}</Button>
        </>
      )}
    >
      {draw && draw.state !== 'draft' ? (
        <>
          <WithAside width={400} aside={<><Section title={t('figures.title')}><Figures draw={draw} /></Section><Section title={t('check.title')}><Epochs draw={draw} /></Section></>}>{terms}</WithAside>
          <Plays draw={draw} />
        </>
      ) : terms}
      <ConfirmDialog
        open={step !== undefined}
        title={t(`confirm.${step ?? 'publish'}`, { name })}
        act={t(`step.${step ?? 'publish'}`)}
        cancel={t('confirm.cancel')}
        danger={step === 'end'}
        pending={move.isPending}
        error={move.error}
        onOk={() => step && move.mutate(step)}
        onCancel={() => {
          move.reset();
          setStep(undefined);
        }}
      >
        <p>{t(`confirm.${step ?? 'publish'}What`)}</p>
      </ConfirmDialog>
    </Page>
  );
}
