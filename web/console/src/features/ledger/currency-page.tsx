import { api, ok } from '@patron/shared/api/client.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { App, Button, DatePicker, Form, Input, InputNumber, Select, Skeleton, Switch } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';
import { useCurrencies } from '../../frame/lookups.ts';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { kept, useUnsaved } from '../../frame/unsaved.tsx';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { Section, WithAside } from '../../ui/section.tsx';
import { ErrorState, NotFoundState } from '../../ui/states.tsx';
import { PayFields } from './pay-fields.tsx';
import { bounding, policyInWords, scaled, type Currency, type Policy } from './policy.ts';
import { StoredFields } from './stored-fields.tsx';
import styles from './currency-page.module.css';

interface Values {
  code: string;
  kind: Currency['kind'];
  name_en?: string;
  name_zh?: string;
  active: boolean;
  policy: Policy;
}

/** One point currency: its names and its policy, and what the policy does to points that are earned today. */
export default function CurrencyPage() {
  const { t } = useTranslation('ledger');
  const { named } = useFormat();
  const { code = '' } = useParams();
  const { list, query } = useCurrencies();
  const found = list.find((c) => c.code === code);
  const title = code === 'new' ? t('currencies.add') : found ? named(found) : code;
  return (
    <Page title={title} crumbs={[{ to: '/currencies', title: t('currencies.menu') }]}>
      {query.error ? <Section><ErrorState error={query.error} retry={() => void query.refetch()} /></Section>
        : query.isPending ? <Section><Skeleton active /></Section>
          : code !== 'new' && !found ? <Section><NotFoundState /></Section>
            : <Edit key={`${code} ${found?.version ?? 0}`} currency={found} />}
    </Page>
  );
}

/** What the server takes for what is not said. */
const defaults = { pending_days: 0, clawback: 'debt', approve_above: 0, expiry: { policy: 'never' } } as const;

function Edit({ currency }: { currency: Currency | undefined }) {
  const { t } = useTranslation('ledger');
  const { message } = App.useApp();
  const navigate = useNavigate();
  const mine = useCan()('program.manage');
  const [form] = Form.useForm<Values>();
  const [dirty, setDirty] = useState(false);
  useUnsaved(dirty);
  const policy = Form.useWatch('policy', { form, preserve: true });
  const expiry = policy?.expiry?.policy ?? 'never';
  const typed = Form.useWatch('kind', { form, preserve: true });
  const kind = currency?.kind ?? typed ?? 'points';
  const stored = kind === 'stored';
  const decimals = currency?.policy.decimals ?? 0;
  const save = useWrite(
    (values: Values, key) => {
      const params = { header: { 'Idempotency-Key': key } };
      // Fields that are not shown keep what they were.
      const body = { ...values, policy: { ...currency?.policy, ...values.policy, pay: bounding(values.policy.pay ?? currency?.policy.pay), ...(stored && { top_ups: scaled(values.policy.top_ups, 10 ** decimals) }) } };
      if (!currency) return ok(api.POST('/v1/currencies', { body: { code: body.code, kind: body.kind, name_en: body.name_en, name_zh: body.name_zh, policy: body.policy }, params }));
      return ok(api.PATCH('/v1/currencies/{code}', {
        body: { name_en: body.name_en, name_zh: body.name_zh, active: body.active, policy: body.policy, version: currency.version },
        params: { ...params, path: { code: currency.code } },
      }));
    },
    {
      invalidates: [['currencies'], ['preview']],
      onSuccess: (out) => {
        setDirty(false);
        void message.success(t('currencies.saved'));
        if (!currency) void navigate(`/currencies/${out.code}`, kept);
      },
    },
  );
  return (
    <WithAside aside={currency && <Section title={t('preview.title')}><Preview currency={currency} /></Section>}>
      <Section>
        <ProblemForm<Values>
          form={form}
          error={save.error}
          className={styles.form}
          disabled={!mine}
          initialValues={currency ? { ...currency, policy: { ...defaults, ...currency.policy, top_ups: scaled(currency.policy.top_ups, 1 / 10 ** decimals) } } : { kind: 'points', active: true, policy: { decimals: 0, expiry: { policy: 'rolling', count: 12, unit: 'month' }, clawback: 'debt' } }}
          onValuesChange={() => setDirty(true)}
          onFinish={(values) => save.mutate(values)}
        >
          {!currency && (
            <div className={styles.pair}>
              <Form.Item name="code" label={t('currencies.code')} extra={t('currencies.codeHelp')} rules={[{ required: true, message: t('currencies.codeNeeded') }]}><Input /></Form.Item>
              <Form.Item name="kind" label={t('currencies.kind')}><Select options={(['points', 'growth', 'stored'] as const).map((value) => ({ value, label: t(`currencies.kinds.${value}`) }))} /></Form.Item>
            </div>
          )}
          <div className={styles.pair}>
            <Form.Item name="name_zh" label={t('currencies.nameZh')}><Input maxLength={60} /></Form.Item>
            <Form.Item name="name_en" label={t('currencies.nameEn')}><Input maxLength={60} /></Form.Item>
          </div>
          <Form.Item name={['policy', 'pending_days']} label={t('policy.pending')} extra={t('policy.pendingHelp')}><InputNumber min={0} max={365} precision={0} suffix={t('policy.days')} style={{ width: 160 }} /></Form.Item>
          <Form.Item label={t('policy.expiry')} extra={t(`policy.expiryHelp.${expiry}`)}>
            <div className={styles.sentence}>
              <Form.Item noStyle name={['policy', 'expiry', 'policy']}>
                <Select aria-label={t('policy.expiry')} style={{ width: 180 }} options={(['never', 'rolling', 'sliding', 'fixed'] as const).map((value) => ({ value, label: t(`policy.expiries.${value}`) }))} />
              </Form.Item>
              {(expiry === 'rolling' || expiry === 'sliding') && (
                <>
                  <Form.Item noStyle name={['policy', 'expiry', 'count']}><InputNumber aria-label={t('policy.count')} min={1} max={3650} precision={0} style={{ width: 88 }} /></Form.Item>
                  <Form.Item noStyle name={['policy', 'expiry', 'unit']}>
                    <Select aria-label={t('policy.unit')} style={{ width: 100 }} options={(['day', 'month', 'year'] as const).map((value) => ({ value, label: t(`policy.units.${value}`) }))} />
                  </Form.Item>
                </>
              )}
              {expiry === 'rolling' && (
                <Form.Item noStyle name={['policy', 'expiry', 'round']}>
                  <Select allowClear aria-label={t('policy.round')} placeholder={t('policy.round')} style={{ width: 180 }} options={(['month', 'quarter', 'year'] as const).map((value) => ({ value, label: t(`policy.rounds.${value}`) }))} />
                </Form.Item>
              )}
              {expiry === 'fixed' && (
                <Form.Item noStyle name={['policy', 'expiry', 'dates']}><Select mode="tags" aria-label={t('policy.dates')} placeholder="12-31" style={{ minWidth: 220 }} open={false} suffixIcon={null} /></Form.Item>
              )}
            </div>
          </Form.Item>
          <Form.Item name={['policy', 'clawback']} label={t('policy.clawback')} extra={t('policy.clawbackHelp')}>
            <Select style={{ maxWidth: 360 }} options={(['pending', 'balance', 'debt'] as const).map((value) => ({ value, label: t(`policy.clawbacks.${value}`) }))} />
          </Form.Item>
          <Form.Item name={['policy', 'approve_above']} label={t('policy.approve')} extra={t('policy.approveHelp')}><InputNumber min={0} precision={0} style={{ width: 200 }} /></Form.Item>
          <Form.Item name={['policy', 'transfer', 'allowed']} label={t('policy.transfer')} valuePropName="checked"><Switch aria-label={t('policy.transfer')} /></Form.Item>
          {policy?.transfer?.allowed && (
            <div className={styles.pair}>
              <Form.Item name={['policy', 'transfer', 'min']} label={t('policy.min')}><InputNumber min={0} precision={0} style={{ width: '100%' }} /></Form.Item>
              <Form.Item name={['policy', 'transfer', 'max']} label={t('policy.max')} extra={t('policy.noBound')}><InputNumber min={0} precision={0} style={{ width: '100%' }} /></Form.Item>
              <Form.Item name={['policy', 'transfer', 'fee_percent']} label={t('policy.fee')}><InputNumber min={0} max={100} precision={0} suffix="%" style={{ width: '100%' }} /></Form.Item>
              <Form.Item name={['policy', 'transfer', 'keeps_expiry']} label={t('policy.keeps')} valuePropName="checked"><Switch aria-label={t('policy.keeps')} /></Form.Item>
            </div>
          )}
          {kind !== 'growth' && <PayFields stored={stored} decimals={policy?.decimals ?? currency?.policy.decimals ?? 0} pay={policy?.pay} value={policy?.unit_value_millionths ?? currency?.policy.unit_value_millionths ?? 0} />}
          {stored && <StoredFields decimals={decimals} />}
          {currency && <Form.Item name="active" label={t('policy.active')} extra={t('policy.activeHelp')} valuePropName="checked"><Switch aria-label={t('policy.active')} /></Form.Item>}
          {mine && <Button type="primary" htmlType="submit" loading={save.isPending} disabled={currency && !dirty}>{currency ? t('currencies.save') : t('currencies.add')}</Button>}
        </ProblemForm>
      </Section>
    </WithAside>
  );
}

/** What happens to points that are earned on a day: when they can be used, and when they end. As it is saved. */
function Preview({ currency }: { currency: Currency }) {
  const { t } = useTranslation('ledger');
  const [day, setDay] = useState<Dayjs>(() => dayjs());
  const earned = day.format('YYYY-MM-DD');
  const preview = useQuery({
    queryKey: ['preview', currency.code, currency.version, earned],
    queryFn: () => ok(api.GET('/v1/currencies/{code}/preview', { params: { path: { code: currency.code }, query: { earned_at: earned } } })),
  });
  return (
    <>
      <ul className={styles.preview}>
        <li><span>{t('preview.earned')}</span><DatePicker value={day} allowClear={false} onChange={(d: Dayjs | null) => d && setDay(d)} aria-label={t('preview.earned')} /></li>
        <li><span>{t('preview.usable')}</span><b>{preview.data && <When at={preview.data.usable_at} as="day" />}</b></li>
        <li><span>{t('preview.ends')}</span><b>{preview.data && (preview.data.expires_at ? <When at={preview.data.expires_at} as="deadline" /> : t('preview.never'))}</b></li>
      </ul>
      {preview.error && <ErrorState error={preview.error} retry={() => void preview.refetch()} />}
      <p className="lead" style={{ marginTop: 16 }}>{policyInWords(t, currency.policy).join(t('words.join'))}</p>
    </>
  );
}
