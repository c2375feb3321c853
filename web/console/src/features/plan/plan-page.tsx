import { api, ok } from '@patron/shared/api/client.ts';
import type { PlanTerms, PlanView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { decimalsOf, symbolOf } from '@patron/shared/format/format.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
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
import { Section } from '../../ui/section.tsx';
import { ErrorState, NotFoundState } from '../../ui/states.tsx';
import { Members } from './members.tsx';
import styles from './plan-page.module.css';
import { State } from './state.tsx';

/** One plan: what it costs and gives, whether it is sold, and who has it. */
export default function PlanPage() {
  const { t } = useTranslation('plan');
  const { id = '' } = useParams();
  const fresh = id === 'new';
  const one = useQuery({ queryKey: ['plans', 'one', id], enabled: !fresh, queryFn: () => ok(api.GET('/v1/plans/{id}', { params: { path: { id } } })) });
  const money = useQuery(programQuery).data?.currency;
  const known = useQuery(currenciesQuery).data !== undefined;
  if (money && known && (fresh || one.data)) return <Edit key={fresh ? 'new' : `${one.data!.id} ${one.data!.version}`} plan={one.data} money={money} />;
  return (
    <Page title={fresh ? t('add') : id} crumbs={[{ to: '/plans', title: t('menu') }]}>
      <Section>{one.error?.status === 404 ? <NotFoundState /> : one.error ? <ErrorState error={one.error} retry={() => void one.refetch()} /> : <Skeleton active paragraph={{ rows: 10 }} />}</Section>
    </Page>
  );
}

/** As the form has it: money and points in the units that people write. */
interface Values {
  code?: string;
  terms: Omit<PlanTerms, 'price' | 'sale_from' | 'sale_until'> & { price?: number };
  sale: [Dayjs | null, Dayjs | null] | null;
}

type Step = 'live' | 'paused' | 'ended';

const steps: Record<PlanView['state'], Step[]> = { draft: ['live'], scheduled: ['paused', 'ended'], live: ['paused', 'ended'], paused: ['live', 'ended'], ended: ['live'] };

function Edit({ plan, money }: { plan: PlanView | undefined; money: string }) {
  const { t } = useTranslation('plan');
  const { named, language } = useFormat();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const currencies = useCurrencies();
  const may = useCan()('rules.write');
  const [form] = Form.useForm<Values>();
  const [dirty, setDirty] = useState(false);
  const [step, setStep] = useState<Step>();
  useUnsaved(dirty);
  const unit = 10 ** decimalsOf(money);
  const scale = (list: PlanTerms['start_gifts'], up: boolean) => list?.filter((g) => g?.currency && g.amount).map((g) => ({ ...g, amount: up ? Math.round(g.amount * 10 ** currencies.decimalsOf(g.currency)) : g.amount / 10 ** currencies.decimalsOf(g.currency) })) ?? [];
  const terms = plan?.terms;
  const initial: Values = terms
    ? {
      terms: { ...terms, price: terms.price.amount / unit, benefits: { ...terms.benefits, multiplier: terms.benefits.multiplier / 1000 }, start_gifts: scale(terms.start_gifts, false), renewal_gifts: scale(terms.renewal_gifts, false) },
      sale: terms.sale_from || terms.sale_until ? [terms.sale_from ? dayjs(terms.sale_from) : null, terms.sale_until ? dayjs(terms.sale_until) : null] : null,
    }
    : { terms: { name_zh: '', name_en: '', every: 'year', trial_days: 0, grace_days: 7, remind_days: 7, benefits: { multiplier: 1 } }, sale: null };
  const save = useWrite(
    ({ code, terms: v, sale }: Values, key) => {
      const params = { header: { 'Idempotency-Key': key } };
      const body: PlanTerms = {
        ...terms, ...v,
        price: { amount: Math.round((v.price ?? 0) * unit), currency: money },
        benefits: { ...v.benefits, multiplier: Math.round((v.benefits.multiplier ?? 1) * 1000), discount_percent: v.benefits.discount_percent ?? 0, others: v.benefits.others?.filter((o) => o?.zh || o?.en).map((o) => ({ zh: o.zh ?? '', en: o.en ?? '' })) ?? [] },
        start_gifts: scale(v.start_gifts, true), renewal_gifts: scale(v.renewal_gifts, true),
        sale_from: sale?.[0]?.format('YYYY-MM-DD') ?? '', sale_until: sale?.[1]?.format('YYYY-MM-DD') ?? '',
      };
      if (!plan) return ok(api.POST('/v1/plans', { body: { code: code ?? '', terms: body }, params }));
      return ok(api.PUT('/v1/plans/{id}', { body: { terms: body, version: plan.version }, params: { ...params, path: { id: plan.id } } }));
    },
    {
      invalidates: [['plans']],
      onSuccess: (out) => {
        setDirty(false);
        void message.success(t('saved'));
        if (!plan) void navigate(`/plans/${out.code}`, kept);
      },
    },
  );
  const move = useWrite((state: Step, key) => ok(api.POST('/v1/plans/{id}/state', { body: { state, version: plan!.version }, params: { path: { id: plan!.id }, header: { 'Idempotency-Key': key } } })), {
    invalidates: [['plans']],
    onSuccess: () => setStep(undefined),
  });
  const offered = plan ? steps[plan.state] : [];
  const main: Step | undefined = offered.includes('live') ? 'live' : undefined;
  const fixed = plan !== undefined && plan.state !== 'draft';
  const name = plan ? named(plan.terms) : '';
  return (
    <Page
      title={plan ? name : t('add')}
      crumbs={[{ to: '/plans', title: t('menu') }]}
      actions={may && (
        <>
          {offered.filter((s) => s !== main).map((s) => <Button key={s} danger={s === 'ended'} disabled={dirty} onClick={() => setStep(s)}>{t(`step.${s}`)}</Button>)}
          {main && <Button type={dirty ? 'default' : 'primary'} disabled={dirty} title={dirty ? t('saveFirst') : undefined} onClick={() => setStep(main)}>{t('step.live')}</Button>}
          <Button type={main && !dirty ? 'default' : 'primary'} disabled={plan && !dirty} loading={save.isPending} onClick={() => form.submit()}>{plan ? t('save') : t('make')}</Button>
        </>
      )}
    >
      <Section>
        {plan && <p style={{ marginBottom: 16 }}><State state={plan.state} /></p>}
        <ProblemForm<Values> form={form} error={save.error} className={styles.form} disabled={!may} initialValues={initial} onValuesChange={() => setDirty(true)} onFinish={(v) => save.mutate(v)}>
          <div className={styles.pair}>
            <Form.Item name={['terms', 'name_zh']} label={t('field.nameZh')}><Input maxLength={200} /></Form.Item>
            <Form.Item name={['terms', 'name_en']} label={t('field.nameEn')}><Input maxLength={200} /></Form.Item>
            {!plan && <Form.Item name="code" label={t('field.code')} extra={t('field.codeHelp')} rules={[{ required: true, message: t('field.codeNeeded') }]}><Input maxLength={40} /></Form.Item>}
          </div>
          <div className={styles.pair}>
            <Form.Item name={['terms', 'about_zh']} label={t('field.aboutZh')}><Input.TextArea autoSize={{ minRows: 2 }} maxLength={2000} /></Form.Item>
            <Form.Item name={['terms', 'about_en']} label={t('field.aboutEn')}><Input.TextArea autoSize={{ minRows: 2 }} maxLength={2000} /></Form.Item>
          </div>
          <div className={styles.sentence}>
            <Form.Item name={['terms', 'price']} label={t('field.price')} rules={[{ required: true, message: t('field.priceNeeded') }]}><InputNumber min={0} precision={decimalsOf(money)} prefix={symbolOf(money, language)} style={{ width: 180 }} /></Form.Item>
            <Form.Item name={['terms', 'every']} label={t('field.every')} extra={fixed ? t('field.everyFixed') : undefined}><Select disabled={fixed} style={{ width: 120 }} options={(['month', 'quarter', 'year'] as const).map((value) => ({ value, label: t(`every.${value}`) }))} /></Form.Item>
            <Form.Item name={['terms', 'trial_days']} label={t('field.trial')}><InputNumber min={0} max={365} precision={0} suffix={t('days')} style={{ width: 120 }} /></Form.Item>
            <Form.Item name={['terms', 'grace_days']} label={t('field.grace')}><InputNumber min={0} max={90} precision={0} suffix={t('days')} style={{ width: 120 }} /></Form.Item>
            <Form.Item name={['terms', 'remind_days']} label={t('field.remind')}><InputNumber min={0} max={60} precision={0} suffix={t('days')} style={{ width: 120 }} /></Form.Item>
            <Form.Item name="sale" label={t('field.sale')}><DatePicker.RangePicker allowEmpty={[true, true]} placeholder={[t('field.saleFrom'), t('field.saleUntil')]} style={{ width: 280 }} /></Form.Item>
          </div>
          <h3 className={styles.part}>{t('part.gives')}</h3>
          <div className={styles.sentence}>
            <Form.Item name={['terms', 'benefits', 'multiplier']} label={t('field.multiplier')}><InputNumber min={1} max={100} step={0.1} suffix={t('times')} style={{ width: 120 }} /></Form.Item>
            <Form.Item name={['terms', 'benefits', 'discount_percent']} label={t('field.discount')}><InputNumber min={0} max={100} precision={0} suffix="%" style={{ width: 120 }} /></Form.Item>
            <Form.Item name={['terms', 'benefits', 'free_delivery']} label={t('field.delivery')} valuePropName="checked"><Checkbox>{t('field.deliveryYes')}</Checkbox></Form.Item>
          </div>
          <Form.List name={['terms', 'benefits', 'others']}>
            {(fields, { add, remove }) => (
              <>
                {fields.map((f) => (
                  <div key={f.key} className={styles.row}>
                    <Form.Item name={[f.name, 'zh']}><Input aria-label={t('field.otherZh')} placeholder={t('field.otherZh')} maxLength={200} /></Form.Item>
                    <Form.Item name={[f.name, 'en']}><Input aria-label={t('field.otherEn')} placeholder={t('field.otherEn')} maxLength={200} /></Form.Item>
                    <Button type="text" icon={<Icon name="close" size={16} />} aria-label={t('remove')} onClick={() => remove(f.name)} />
                  </div>
                ))}
                <Button type="text" size="small" icon={<Icon name="plus" size={16} />} onClick={() => add({})}>{t('addOther')}</Button>
              </>
            )}
          </Form.List>
          <div className={styles.pair}>
            {(['start_gifts', 'renewal_gifts'] as const).map((gifts) => (
              <Form.List key={gifts} name={['terms', gifts]}>
                {(fields, { add, remove }) => (
                  <div>
                    <h3 className={styles.part}>{t(`part.${gifts}`)}</h3>
                    {fields.map((f) => (
                      <div key={f.key} className={styles.row}>
                        <Form.Item name={[f.name, 'amount']}><InputNumber aria-label={t('field.gift')} min={0} style={{ width: '100%' }} /></Form.Item>
                        <Form.Item name={[f.name, 'currency']}><Select aria-label={t('field.giftCurrency')} options={currencies.list.filter((c) => c.kind !== 'stored').map((c) => ({ value: c.code, label: currencies.nameOf(c.code) }))} /></Form.Item>
                        <Button type="text" icon={<Icon name="close" size={16} />} aria-label={t('remove')} onClick={() => remove(f.name)} />
                      </div>
                    ))}
                    <Button type="text" size="small" icon={<Icon name="plus" size={16} />} onClick={() => add({ currency: currencies.list.find((c) => c.kind === 'points')?.code })}>{t('addGift')}</Button>
                  </div>
                )}
              </Form.List>
            ))}
          </div>
        </ProblemForm>
      </Section>
      {plan && plan.state !== 'draft' && <Section title={t('members.title')}><Members plan={plan} /></Section>}
      <ConfirmDialog
        open={step !== undefined}
        title={t(`confirm.${step ?? 'live'}`, { name })}
        act={t(`step.${step ?? 'live'}`)}
        cancel={t('confirm.cancel')}
        danger={step === 'ended'}
        pending={move.isPending}
        error={move.error}
        onOk={() => step && move.mutate(step)}
        onCancel={() => {
          move.reset();
          setStep(undefined);
        }}
      >
        <p>{t(`confirm.${step ?? 'live'}What`)}</p>
      </ConfirmDialog>
    </Page>
  );
}
