import { api, ok } from '@patron/shared/api/client.ts';
import type { AddOfferNewOfferInBody, OfferView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { decimalsOf, symbolOf } from '@patron/shared/format/format.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { useQuery } from '@tanstack/react-query';
import { App, Button, Checkbox, DatePicker, Form, Input, InputNumber, Select, Skeleton } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';
import { currenciesQuery, useCurrencies } from '../../frame/lookups.ts';
import { programQuery, useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { kept, useUnsaved } from '../../frame/unsaved.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { Section, WithAside } from '../../ui/section.tsx';
import { ErrorState, NotFoundState } from '../../ui/states.tsx';
import { Figures } from './figures.tsx';
import styles from './offer-page.module.css';
import { Sendings } from './sendings.tsx';
import { tones, useOfferWords } from './words.ts';

/** One offer: what is to be done, what it gives, to whom it goes, and what it came to. */
export default function OfferPage() {
  const { t } = useTranslation('offer');
  const { id = '' } = useParams();
  const fresh = id === 'new';
  const one = useQuery({ queryKey: ['offers', 'one', id], enabled: !fresh, queryFn: () => ok(api.GET('/v1/offers/{id}', { params: { path: { id } } })) });
  const money = useQuery(programQuery).data?.currency;
  const known = useQuery(currenciesQuery).data !== undefined;
  if (money && known && (fresh || one.data)) return <Edit key={fresh ? 'new' : `${one.data!.id} ${one.data!.version} ${one.data!.state}`} offer={one.data} money={money} />;
  return (
    <Page title={fresh ? t('add') : id} crumbs={[{ to: '/offers', title: t('menu') }]}>
      <Section>{one.error?.status === 404 ? <NotFoundState /> : one.error ? <ErrorState error={one.error} retry={() => void one.refetch()} /> : <Skeleton active paragraph={{ rows: 10 }} />}</Section>
    </Page>
  );
}

type Values = Omit<AddOfferNewOfferInBody, 'from' | 'until'> & { days?: [Dayjs | null, Dayjs | null] | null };
type Step = 'publish' | 'pause' | 'resume' | 'end';

const steps: Record<OfferView['state'], Step[]> = { draft: ['publish'], scheduled: ['pause', 'end'], live: ['pause', 'end'], paused: ['resume', 'end'], ended: [] };

function Edit({ offer, money }: { offer: OfferView | undefined; money: string }) {
  const { t } = useTranslation('offer');
  const { named, language } = useFormat();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const words = useOfferWords();
  const currencies = useCurrencies();
  const ended = offer?.state === 'ended';
  const may = useCan()('rules.write') && !ended;
  const badges = useQuery({ queryKey: ['badges'], queryFn: () => ok(api.GET('/v1/badges', { params: { query: { limit: 100 } } })) }).data?.items ?? [];
  const [form] = Form.useForm<Values>();
  const [dirty, setDirty] = useState(false);
  const [step, setStep] = useState<Step>();
  useUnsaved(dirty);
  const unit = 10 ** decimalsOf(money);
  const points = (code: string | undefined) => 10 ** (code ? currencies.decimalsOf(code) : 0);
  const initial: Values = offer
    ? {
      code: offer.code, name_en: offer.name_en, name_zh: offer.name_zh, text_en: offer.text_en, text_zh: offer.text_zh, delivery: offer.delivery, opt_in: offer.opt_in, hours: offer.hours, audience: offer.audience, repeat: offer.repeat, counts: offer.counts,
      goal: { ...offer.goal, amount: offer.goal.amount && offer.goal.amount / unit },
      reward: { ...offer.reward, amount: offer.reward.amount && offer.reward.amount / points(offer.reward.currency) },
      days: offer.from || offer.until ? [offer.from ? dayjs(offer.from) : null, offer.until ? dayjs(offer.until) : null] : null,
    } as Values
    : { code: '', delivery: 'open', opt_in: true, goal: { kind: 'visits', count: 3 }, reward: { currency: currencies.list.find((c) => c.kind === 'points')?.code } } as Values;
  const values = Form.useWatch([], { form, preserve: true }) as Values | undefined;
  const kind = values?.goal?.kind ?? initial.goal.kind;
  const delivery = values?.delivery ?? initial.delivery;
  const save = useWrite(
    (v: Values, key) => {
      const params = { header: { 'Idempotency-Key': key } };
      const { days, code, goal: g, reward: r, ...rest } = v;
      const goal = {
        kind: g.kind,
        ...((g.kind === 'spend' || g.kind === 'purchase') && { amount: Math.round((g.amount ?? 0) * unit) }),
        ...((g.kind === 'visits' || g.kind === 'streak' || g.kind === 'purchase') && { count: g.count ?? 1 }),
        ...(g.kind === 'streak' && { unit: g.unit ?? 'day' }),
        ...(g.kind === 'products' && { products: (g.products ?? []).filter((p) => p?.sku || p?.category).map((p) => ({ ...(p.sku ? { sku: p.sku } : { category: p.category! }), quantity: p.quantity || 1 })) }),
      };
      const reward = { ...(r.amount && r.currency && { currency: r.currency, amount: Math.round(r.amount * points(r.currency)) }), ...(r.badge && { badge: r.badge }) };
      const body = { ...rest, hours: rest.hours ?? 0, goal, reward, ...(days?.[0] && { from: days[0].startOf('minute').toISOString() }), ...(days?.[1] && { until: days[1].startOf('minute').toISOString() }) };
      const sent = JSON.parse(JSON.stringify(body)) as Omit<AddOfferNewOfferInBody, 'code'>;
      if (!offer) return ok(api.POST('/v1/offers', { body: { ...sent, code }, params }));
      return ok(api.PATCH('/v1/offers/{id}', { body: { ...sent, version: offer.version }, params: { ...params, path: { id: offer.id } } }));
    },
    {
      invalidates: [['offers']],
      onSuccess: (out) => {
        setDirty(false);
        void message.success(t('saved'));
        if (!offer) void navigate(`/offers/${out.id}`, kept);
      },
    },
  );
  const move = useWrite((to: Step, key) => {
    const params = { path: { id: offer!.id }, header: { 'Idempotency-Key': key } };
    if (to === 'publish') return ok(api.POST('/v1/offers/{id}/publish', { params }));
    if (to === 'pause') return ok(api.POST('/v1/offers/{id}/pause', { params }));
    if (to === 'resume') return ok(api.POST('/v1/offers/{id}/resume', { params }));
    return ok(api.POST('/v1/offers/{id}/end', { params }));
  }, { invalidates: [['offers'], ['member']], onSuccess: () => setStep(undefined) });
  const name = offer ? named(offer) || offer.code : '';
  const offered = offer ? steps[offer.state] : [];
  const terms = (
    <Section>
      {offer && <p style={{ marginBottom: 12 }}><StatusTag tone={tones[offer.state]}>{t(`state.${offer.state}`)}</StatusTag></p>}
      {offer && <p className={styles.words}>{t('inWords', { goal: words.goal(offer.goal), reward: words.reward(offer.reward) })}</p>}
      <ProblemForm<Values> form={form} error={save.error} className={styles.form} disabled={!may} initialValues={initial} onValuesChange={() => setDirty(true)} onFinish={() => save.mutate(form.getFieldsValue(true) as Values)}>
        <div className={styles.pair}>
          <Form.Item name="name_zh" label={t('field.nameZh')}><Input maxLength={200} /></Form.Item>
          <Form.Item name="name_en" label={t('field.nameEn')}><Input maxLength={200} /></Form.Item>
          {!offer && <Form.Item name="code" label={t('field.code')} extra={t('field.codeHelp')} rules={[{ required: true, message: t('field.codeNeeded') }]}><Input maxLength={40} /></Form.Item>}
        </div>
        <div className={styles.pair}>
          <Form.Item name="text_zh" label={t('field.textZh')}><Input.TextArea autoSize={{ minRows: 2 }} maxLength={2000} /></Form.Item>
          <Form.Item name="text_en" label={t('field.textEn')}><Input.TextArea autoSize={{ minRows: 2 }} maxLength={2000} /></Form.Item>
        </div>
        <div className={styles.sentence}>
          <Form.Item name={['goal', 'kind']} label={t('field.goal')}><Select style={{ width: 180 }} options={(['visits', 'spend', 'purchase', 'streak', 'products'] as const).map((value) => ({ value, label: t(`kind.${value}`) }))} /></Form.Item>
          {(kind === 'spend' || kind === 'purchase') && <Form.Item name={['goal', 'amount']} label={t('field.amount')}><InputNumber min={0} precision={decimalsOf(money)} prefix={symbolOf(money, language)} style={{ width: 160 }} /></Form.Item>}
          {(kind === 'visits' || kind === 'streak' || kind === 'purchase') && <Form.Item name={['goal', 'count']} label={t('field.count')}><InputNumber min={1} precision={0} style={{ width: 110 }} /></Form.Item>}
          {kind === 'streak' && <Form.Item name={['goal', 'unit']} label={t('field.unit')}><Select style={{ width: 110 }} options={(['day', 'week'] as const).map((value) => ({ value, label: t(`unit.${value}`) }))} /></Form.Item>}
        </div>
        {kind === 'products' && (
          <Form.List name={['goal', 'products']}>
            {(fields, { add, remove }) => (
              <div style={{ marginBottom: 16 }}>
                {fields.map((f) => (
                  <div key={f.key} className={styles.row}>
                    <Form.Item name={[f.name, 'sku']}><Input aria-label={t('field.sku')} placeholder={t('field.sku')} /></Form.Item>
                    <Form.Item name={[f.name, 'category']}><Input aria-label={t('field.category')} placeholder={t('field.category')} /></Form.Item>
                    <Form.Item name={[f.name, 'quantity']}><InputNumber aria-label={t('field.quantity')} placeholder="1" min={1} precision={0} style={{ width: '100%' }} /></Form.Item>
                    <Button type="text" icon={<Icon name="close" size={16} />} aria-label={t('remove')} onClick={() => remove(f.name)} />
                  </div>
                ))}
                <Button type="text" size="small" icon={<Icon name="plus" size={16} />} onClick={() => add({})}>{t('addProduct')}</Button>
              </div>
            )}
          </Form.List>
        )}
        <div className={styles.sentence}>
          <Form.Item name={['reward', 'amount']} label={t('field.gives')}><InputNumber min={0} style={{ width: 130 }} /></Form.Item>
          <Form.Item name={['reward', 'currency']} label={t('field.currency')}><Select style={{ width: 150 }} options={currencies.list.filter((c) => c.kind !== 'stored').map((c) => ({ value: c.code, label: currencies.nameOf(c.code) }))} /></Form.Item>
          <Form.Item name={['reward', 'badge']} label={t('field.badge')}><Select allowClear style={{ width: 170 }} placeholder={t('none')} options={badges.map((b) => ({ value: b.code, label: named(b) || b.code }))} /></Form.Item>
        </div>
        <div className={styles.sentence}>
          <Form.Item name="delivery" label={t('field.delivery')}><Select style={{ width: 220 }} options={(['open', 'sent'] as const).map((value) => ({ value, label: t(`delivery.${value}`) }))} /></Form.Item>
          <Form.Item name="days" label={t('field.days')}><DatePicker.RangePicker showTime={{ format: 'HH:mm' }} format="YYYY-MM-DD HH:mm" allowEmpty={[true, true]} style={{ width: 340 }} /></Form.Item>
          <Form.Item name="hours" label={t('field.hours')} extra={t('field.hoursHelp')}><InputNumber min={0} precision={0} suffix={t('unit.hours')} style={{ width: 130 }} /></Form.Item>
        </div>
        <Form.Item name="opt_in" valuePropName="checked"><Checkbox>{t('field.optIn')}</Checkbox></Form.Item>
        {delivery === 'open' && <Form.Item name="audience" label={t('field.audience')} extra={t('field.audienceHelp')}><Input.TextArea autoSize={{ minRows: 1 }} style={{ fontFamily: 'ui-monospace, monospace' }} /></Form.Item>}
        <Form.Item name={['repeat', 'every']} label={t('field.repeat')}><Select allowClear style={{ width: 220 }} placeholder={t('repeat.once')} options={(['once', 'completion', 'day', 'week', 'month'] as const).map((value) => ({ value, label: t(`repeat.${value}`) }))} /></Form.Item>
      </ProblemForm>
    </Section>
  );
  return (
    <Page
      title={offer ? name : t('add')}
      crumbs={[{ to: '/offers', title: t('menu') }]}
      actions={may && (
        <>
          {offered.map((s) => <Button key={s} danger={s === 'end'} type={s === 'publish' && !dirty ? 'primary' : 'default'} disabled={dirty} title={dirty ? t('saveFirst') : undefined} onClick={() => setStep(s)}>{t(`step.${s}`)}</Button>)}
          <Button type={dirty || !offer ? 'primary' : 'default'} disabled={offer && !dirty} loading={save.isPending} onClick={() => form.submit()}>{offer ? t('save') : t('make')}</Button>
        </>
      )}
    >
      {offer && offer.state !== 'draft' ? (
        <WithAside width={360} aside={<><Section title={t('figures.title')}><Figures offer={offer} /></Section>{offer.delivery === 'sent' && <Section title={t('send.title')}><Sendings offer={offer} may={may && offer.state === 'live'} /></Section>}</>}>{terms}</WithAside>
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
