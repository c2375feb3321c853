import { api, ok } from '@patron/shared/api/client.ts';
import type { AddRewardNewRewardInBody, RewardView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { decimalsOf, symbolOf } from '@patron/shared/format/format.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { useQuery } from '@tanstack/react-query';
import { App, Button, DatePicker, Form, Input, InputNumber, Select, Skeleton } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';
import { currenciesQuery, useCurrencies } from '../../frame/lookups.ts';
import { programQuery, useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { kept, useUnsaved } from '../../frame/unsaved.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { StoreSelect } from '../../ui/place-select.tsx';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { Section, WithAside } from '../../ui/section.tsx';
import { ErrorState, NotFoundState } from '../../ui/states.tsx';
import { Pictures } from './pictures.tsx';
import styles from './reward.module.css';
import { Stock } from './stock.tsx';
import { tones } from './words.ts';

/** One reward: what it is, what it costs, how much there is, and how it looks. */
export default function RewardPage() {
  const { t } = useTranslation('reward');
  const { id = '' } = useParams();
  const fresh = id === 'new';
  const one = useQuery({ queryKey: ['rewards', 'one', id], enabled: !fresh, queryFn: () => ok(api.GET('/v1/rewards/{id}', { params: { path: { id } } })) });
  const money = useQuery(programQuery).data?.currency;
  const known = useQuery(currenciesQuery).data !== undefined;
  if (money && known && (fresh || one.data)) return <Edit key={fresh ? 'new' : `${one.data!.id} ${one.data!.version} ${one.data!.state}`} reward={one.data} money={money} />;
  return (
    <Page title={fresh ? t('add') : id} crumbs={[{ to: '/rewards', title: t('menu') }]}>
      <Section>{one.error?.status === 404 ? <NotFoundState /> : one.error ? <ErrorState error={one.error} retry={() => void one.refetch()} /> : <Skeleton active paragraph={{ rows: 10 }} />}</Section>
    </Page>
  );
}

type Span = [Dayjs | null, Dayjs | null] | null | undefined;
type Price = Omit<NonNullable<AddRewardNewRewardInBody['prices']>[number], 'from' | 'until'> & { days?: Span };
type Values = Omit<AddRewardNewRewardInBody, 'from' | 'until' | 'visible_from' | 'visible_until' | 'prices'> & { seen?: Span; days?: Span; prices: Price[] };
type Move = 'publish' | 'pause' | 'resume' | 'end';

const moves: Record<RewardView['state'], Move[]> = { draft: ['publish'], live: ['pause', 'end'], paused: ['resume', 'end'], ended: [] };
const span = (from?: string, until?: string): Span => (from || until ? [from ? dayjs(from) : null, until ? dayjs(until) : null] : null);
const instants = (days: Span) => ({ from: days?.[0]?.startOf('minute').toISOString(), until: days?.[1]?.startOf('minute').toISOString() });

function Edit({ reward, money }: { reward: RewardView | undefined; money: string }) {
  const { t } = useTranslation('reward');
  const { named, language } = useFormat();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const currencies = useCurrencies();
  const may = useCan()('rules.write') && reward?.state !== 'ended';
  const [form] = Form.useForm<Values>();
  const [dirty, setDirty] = useState(false);
  const [step, setStep] = useState<Move>();
  useUnsaved(dirty);
  const unit = 10 ** decimalsOf(money);
  const points = (code: string | undefined) => 10 ** (code ? currencies.decimalsOf(code) : 0);
  const spendable = currencies.list.filter((c) => c.kind !== 'growth');
  const initial: Values = reward
    ? {
      ...(Object.fromEntries((['code', 'name_en', 'name_zh', 'text_en', 'text_zh', 'kind', 'category', 'tags', 'coupon', 'audience', 'limits', 'stock', 'ways', 'stores', 'pickup_days', 'lapse', 'hold_minutes'] as const).map((k) => [k, reward[k]])) as unknown as Values),
      seen: span(reward.visible_from, reward.visible_until), days: span(reward.from, reward.until),
      prices: (reward.prices ?? []).map(({ from, until, ...p }) => ({ ...p, points: p.points / points(p.currency), least: p.least && p.least / points(p.currency), step: p.step && p.step / points(p.currency), money: p.money && p.money / unit, worth: p.worth && (p.worth * points(p.currency)) / 1000 / unit, days: span(from, until) })),
    }
    : { code: '', kind: 'goods', stock: 'common', ways: ['pickup'], lapse: 'return', prices: [{ currency: spendable.find((c) => c.kind === 'points')?.code ?? '', points: 100 }] };
  const values = Form.useWatch([], { form, preserve: true }) as Values | undefined;
  const kind = values?.kind ?? initial.kind;
  const ways = values?.ways ?? initial.ways ?? [];
  const digital = kind === 'coupon' || kind === 'donation' || kind === 'code';
  const fixed = reward !== undefined && reward.state !== 'draft';
  const save = useWrite(
    (v: Values, key) => {
      const params = { header: { 'Idempotency-Key': key } };
      const { code, seen, days, prices, ...rest } = v;
      const shown = instants(seen);
      const body = {
        ...rest, ...instants(days), visible_from: shown.from, visible_until: shown.until, ways: digital ? undefined : kind === 'service' ? ['pickup'] : rest.ways, stock: kind === 'code' ? 'none' : rest.stock, coupon: kind === 'coupon' ? rest.coupon : undefined,
        prices: prices.map(({ days: when, ...p }) => ({ ...p, ...instants(when), condition: p.condition || undefined, points: Math.round(p.points * points(p.currency)), least: p.least && Math.round(p.least * points(p.currency)), step: p.least ? Math.round((p.step ?? 1) * points(p.currency)) : undefined, money: p.money && Math.round(p.money * unit), worth: p.least && p.worth ? Math.round((p.worth * unit * 1000) / points(p.currency)) : undefined })),
      };
      const sent = JSON.parse(JSON.stringify(body, (_, x: unknown) => (x === null ? undefined : x))) as Omit<AddRewardNewRewardInBody, 'code'>;
      if (!reward) return ok(api.POST('/v1/rewards', { body: { ...sent, code }, params }));
      return ok(api.PUT('/v1/rewards/{id}', { body: { ...sent, version: reward.version }, params: { ...params, path: { id: reward.id } } }));
    },
    {
      invalidates: [['rewards']],
      onSuccess: (out) => {
        setDirty(false);
        void message.success(t('saved'));
        if (!reward) void navigate(`/rewards/${out.id}`, kept);
      },
    },
  );
  const move = useWrite((to: Move, key) => ok(api.POST(`/v1/rewards/{id}/${to}` as '/v1/rewards/{id}/publish', { params: { path: { id: reward!.id }, header: { 'Idempotency-Key': key } } })), { invalidates: [['rewards']], onSuccess: () => setStep(undefined) });
  const name = reward ? named(reward) || reward.code : '';
  const range = <DatePicker.RangePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" allowEmpty={[true, true]} style={{ width: 340, maxWidth: '100%' }} />;
  const terms = (
    <Section>
      {reward && <p style={{ marginBottom: 12 }}><StatusTag tone={tones[reward.state]}>{t(`state.${reward.state}`)}</StatusTag> <span className="quiet">{t('version', { n: reward.version })}</span></p>}
      <ProblemForm<Values> form={form} error={save.error} className={styles.form} disabled={!may} initialValues={initial} onValuesChange={() => setDirty(true)} onFinish={() => save.mutate(form.getFieldsValue(true) as Values)}>
        <div className={styles.pair}>
          <Form.Item name="name_zh" label={t('field.nameZh')}><Input maxLength={100} /></Form.Item>
          <Form.Item name="name_en" label={t('field.nameEn')}><Input maxLength={100} /></Form.Item>
          <Form.Item name="text_zh" label={t('field.textZh')}><Input.TextArea autoSize={{ minRows: 2 }} maxLength={2000} /></Form.Item>
          <Form.Item name="text_en" label={t('field.textEn')}><Input.TextArea autoSize={{ minRows: 2 }} maxLength={2000} /></Form.Item>
          {!reward && <Form.Item name="code" label={t('field.code')} extra={t('field.codeHelp')} rules={[{ required: true, message: t('field.codeNeeded') }]}><Input maxLength={40} /></Form.Item>}
        </div>
        <div className={styles.sentence}>
          <Form.Item name="kind" label={t('field.kind')}><Select disabled={fixed || !may} style={{ width: 200 }} options={(['goods', 'service', 'coupon', 'code', 'donation'] as const).map((value) => ({ value, label: t(`kind.${value}`) }))} /></Form.Item>
          {kind === 'coupon' && <Form.Item name="coupon" label={t('field.coupon')}><Input maxLength={64} style={{ width: 200 }} /></Form.Item>}
          <Form.Item name="category" label={t('field.category')}><Input maxLength={40} style={{ width: 160 }} /></Form.Item>
          <Form.Item name="tags" label={t('field.tags')}><Select mode="tags" maxCount={10} open={false} suffixIcon={null} style={{ width: 240 }} /></Form.Item>
        </div>
        <h3 className={styles.head}>{t('prices.title')}</h3>
        <p className="quiet">{t('prices.help')}</p>
        <Form.List name="prices">
          {(fields, { add, remove, move: shift }) => (
            <>
              {fields.map((f, i) => (
                <fieldset key={f.key} className={styles.price}>
                  <legend>{t('prices.nth', { n: i + 1 })}</legend>
                  <div className={styles.sentence}>
                    <Form.Item name={[f.name, 'points']} label={t('prices.points')}><InputNumber min={0} style={{ width: 120 }} /></Form.Item>
                    <Form.Item name={[f.name, 'currency']} label={t('prices.currency')}><Select style={{ width: 140 }} options={spendable.map((c) => ({ value: c.code, label: currencies.nameOf(c.code) }))} /></Form.Item>
                    <Form.Item name={[f.name, 'money']} label={t('prices.money')}><InputNumber min={0} precision={decimalsOf(money)} prefix={symbolOf(money, language)} style={{ width: 130 }} /></Form.Item>
                    <Form.Item name={[f.name, 'condition']} label={t('prices.condition')}><Input placeholder="member.tier.rank >= 2" style={{ width: 240, fontFamily: 'ui-monospace, monospace' }} /></Form.Item>
                  </div>
                  <div className={styles.sentence}>
                    <Form.Item name={[f.name, 'least']} label={t('prices.least')} extra={t('prices.leastHelp')}><InputNumber min={0} style={{ width: 120 }} /></Form.Item>
                    {!!values?.prices?.[i]?.least && <Form.Item name={[f.name, 'step']} label={t('prices.step')}><InputNumber min={0} style={{ width: 100 }} /></Form.Item>}
                    {!!values?.prices?.[i]?.least && <Form.Item name={[f.name, 'worth']} label={t('prices.worth')}><InputNumber min={0} step={0.01} prefix={symbolOf(money, language)} style={{ width: 130 }} /></Form.Item>}
                    <Form.Item name={[f.name, 'days']} label={t('prices.days')}>{range}</Form.Item>
                  </div>
                  {may && <div>{i > 0 && <Button type="text" size="small" icon={<Icon name="arrowUp" size={16} />} onClick={() => { shift(i, i - 1); setDirty(true); }}>{t('prices.up')}</Button>}{fields.length > 1 && <Button type="text" size="small" icon={<Icon name="close" size={16} />} onClick={() => { remove(f.name); setDirty(true); }}>{t('remove')}</Button>}</div>}
                </fieldset>
              ))}
              {may && fields.length < 10 && <Button type="text" size="small" icon={<Icon name="plus" size={16} />} onClick={() => add({ currency: spendable[0]?.code, points: 100 }, 0)}>{t('prices.add')}</Button>}
            </>
          )}
        </Form.List>
        <h3 className={styles.head}>{t('having')}</h3>
        <div className={styles.sentence}>
          {kind !== 'code' && <Form.Item name="stock" label={t('field.stock')}><Select disabled={fixed || !may} style={{ width: 180 }} options={(['none', 'common', 'stores'] as const).map((value) => ({ value, label: t(`stock.${value}`) }))} /></Form.Item>}
          {kind === 'goods' && <Form.Item name="ways" label={t('field.ways')}><Select mode="multiple" style={{ width: 220 }} options={(['pickup', 'ship'] as const).map((value) => ({ value, label: t(`way.${value}`) }))} /></Form.Item>}
          {!digital && (kind === 'service' || ways.includes('pickup')) && (
            <>
              <Form.Item name="stores" label={t('field.stores')}><StoreSelect mode="multiple" allowClear placeholder={t('allStores')} style={{ width: 260 }} /></Form.Item>
              <Form.Item name="pickup_days" label={t('field.pickupDays')} extra={t('field.pickupDaysHelp')}><InputNumber min={0} max={365} precision={0} style={{ width: 110 }} /></Form.Item>
              <Form.Item name="lapse" label={t('field.lapse')}><Select style={{ width: 200 }} options={(['return', 'keep'] as const).map((value) => ({ value, label: t(`lapse.${value}`) }))} /></Form.Item>
            </>
          )}
          <Form.Item name="hold_minutes" label={t('field.hold')} extra={t('field.holdHelp')}><InputNumber min={0} max={10080} precision={0} style={{ width: 110 }} /></Form.Item>
        </div>
        <div className={styles.sentence}>{(['ever', 'day', 'week', 'month'] as const).map((k) => <Form.Item key={k} name={['limits', k]} label={t(`limits.${k}`)}><InputNumber min={0} precision={0} placeholder="∞" style={{ width: 110 }} /></Form.Item>)}</div>
        <div className={styles.sentence}>
          <Form.Item name="seen" label={t('field.seen')}>{range}</Form.Item>
          <Form.Item name="days" label={t('field.days')}>{range}</Form.Item>
        </div>
        <Form.Item name="audience" label={t('field.audience')} extra={t('field.audienceHelp')}><Input.TextArea autoSize={{ minRows: 1 }} style={{ fontFamily: 'ui-monospace, monospace' }} /></Form.Item>
      </ProblemForm>
    </Section>
  );
  return (
    <Page
      title={reward ? name : t('add')}
      crumbs={[{ to: '/rewards', title: t('menu') }]}
      actions={may && (
        <>
          {(reward ? moves[reward.state] : []).map((s) => <Button key={s} danger={s === 'end'} type={s === 'publish' && !dirty ? 'primary' : 'default'} disabled={dirty} title={dirty ? t('saveFirst') : undefined} onClick={() => setStep(s)}>{t(`step.${s}`)}</Button>)}
          <Button type={dirty || !reward ? 'primary' : 'default'} disabled={reward && !dirty} loading={save.isPending} onClick={() => form.submit()}>{reward ? t('save') : t('make')}</Button>
        </>
      )}
    >
      {reward ? <WithAside width={360} aside={<><Section title={t('pictures.title')}><Pictures reward={reward} may={may} /></Section>{(reward.stock !== 'none' || reward.kind === 'code') && <Section title={t('stock.title')}><Stock reward={reward} may={may} /></Section>}</>}>{terms}</WithAside> : terms}
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
