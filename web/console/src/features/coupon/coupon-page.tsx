import { api, ok } from '@patron/shared/api/client.ts';
import type { CouponView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { decimalsOf } from '@patron/shared/format/format.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Ticket } from '@patron/shared/ticket/ticket.tsx';
import { useTicketWords } from '@patron/shared/ticket/words.ts';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { App, Button, Form, Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';
import { currenciesQuery } from '../../frame/lookups.ts';
import { programQuery, useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { kept, useUnsaved } from '../../frame/unsaved.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { Section, WithAside } from '../../ui/section.tsx';
import { ErrorState, NotFoundState } from '../../ui/states.tsx';
import { Batches, Sendings } from './batches.tsx';
import styles from './coupon.module.css';
import { Figures } from './figures.tsx';
import { Fields } from './form.tsx';
import { fresh, termsOf, valuesOf, type Values } from './terms.ts';
import { TryIt } from './try-it.tsx';
import { tones } from './words.ts';

/** One coupon: what it gives, the ticket as members see it, a basket to try it on, its codes, and what it came to. */
export default function CouponPage() {
  const { t } = useTranslation('coupon');
  const { id = '' } = useParams();
  const isNew = id === 'new';
  const one = useQuery({ queryKey: ['coupons', 'one', id], enabled: !isNew, queryFn: () => ok(api.GET('/v1/coupons/{id}', { params: { path: { id } } })) });
  const money = useQuery(programQuery).data?.currency;
  const known = useQuery(currenciesQuery).data !== undefined;
  if (money && known && (isNew || one.data)) return <Edit key={isNew ? 'new' : `${one.data!.id} ${one.data!.version} ${one.data!.state}`} coupon={one.data} money={money} />;
  return (
    <Page title={isNew ? t('add') : id} crumbs={[{ to: '/coupons', title: t('menu') }]}>
      <Section>{one.error?.status === 404 ? <NotFoundState /> : one.error ? <ErrorState error={one.error} retry={() => void one.refetch()} /> : <Skeleton active paragraph={{ rows: 10 }} />}</Section>
    </Page>
  );
}

type Step = 'publish' | 'pause' | 'resume' | 'end';

const steps: Record<CouponView['state'], Step[]> = { draft: ['publish'], scheduled: ['pause', 'end'], live: ['pause', 'end'], paused: ['resume', 'end'], ended: [] };

function Edit({ coupon, money }: { coupon: CouponView | undefined; money: string }) {
  const { t } = useTranslation('coupon');
  const { named } = useFormat();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const words = useTicketWords(money);
  const can = useCan();
  const may = can('rules.write') && coupon?.state !== 'ended';
  const [form] = Form.useForm<Values>();
  const [dirty, setDirty] = useState(false);
  const [step, setStep] = useState<Step>();
  useUnsaved(dirty);
  const unit = 10 ** decimalsOf(money);
  const [initial] = useState(() => (coupon ? valuesOf(coupon, unit) : fresh));
  const values = { ...initial, ...(Form.useWatch([], { form, preserve: true }) as Values | undefined) };
  const terms = termsOf(values, unit);
  const save = useWrite(
    (v: Values, key) => {
      const params = { header: { 'Idempotency-Key': key } };
      const body = termsOf(v, unit);
      if (!coupon) return ok(api.POST('/v1/coupons', { body: { ...body, code: v.code }, params }));
      return ok(api.PUT('/v1/coupons/{id}', { body: { ...body, version: coupon.version }, params: { ...params, path: { id: coupon.id } } }));
    },
    {
      invalidates: [['coupons']],
      onSuccess: (out) => {
        setDirty(false);
        void message.success(t('saved'));
        if (!coupon) void navigate(`/coupons/${out.id}`, kept);
      },
    },
  );
  const move = useWrite((to: Step, key) => {
    const params = { path: { id: coupon!.id }, header: { 'Idempotency-Key': key } };
    if (to === 'publish') return ok(api.POST('/v1/coupons/{id}/publish', { params }));
    if (to === 'pause') return ok(api.POST('/v1/coupons/{id}/pause', { params }));
    if (to === 'resume') return ok(api.POST('/v1/coupons/{id}/resume', { params }));
    return ok(api.POST('/v1/coupons/{id}/end', { params }));
  }, { invalidates: [['coupons'], ['vouchers']], onSuccess: () => setStep(undefined) });
  const name = named(values) || coupon?.code || t('unnamed');
  const offered = coupon ? steps[coupon.state] : [];
  const live = coupon?.state === 'live' || coupon?.state === 'scheduled';
  const foot = terms.shared_code ? t('preview.shared', { code: terms.shared_code }) : terms.valid?.days ? t('preview.days', { count: terms.valid.days }) : terms.valid?.hours ? t('preview.hours', { count: terms.valid.hours }) : undefined;
  return (
    <Page
      title={coupon ? name : t('add')}
      crumbs={[{ to: '/coupons', title: t('menu') }]}
      actions={may && (
        <>
          {offered.map((s) => <Button key={s} danger={s === 'end'} type={s === 'publish' && !dirty ? 'primary' : 'default'} disabled={dirty} title={dirty ? t('saveFirst') : undefined} onClick={() => setStep(s)}>{t(`move.${s}`)}</Button>)}
          <Button type={dirty || !coupon ? 'primary' : 'default'} disabled={coupon && !dirty} loading={save.isPending} onClick={() => form.submit()}>{coupon ? t('save') : t('make')}</Button>
        </>
      )}
    >
      <WithAside
        width={400}
        aside={(
          <>
            <Section title={t('preview.title')}>
              <div className={styles.preview}><Ticket ground="var(--bg-layout)" stub={words.stub(terms)} title={name} lines={words.bounds(terms).length > 0 ? [words.bounds(terms).join(t('comma'))] : []} foot={foot} /></div>
            </Section>
            <Section title={t('try.title')}><TryIt terms={terms} money={money} /></Section>
            {coupon && coupon.state !== 'draft' && <Section title={t('figures.title')}><Figures coupon={coupon} /></Section>}
            {coupon && coupon.state !== 'draft' && !coupon.shared_code && (
              <>
                <Section title={t('send.title')}><Sendings coupon={coupon} may={may && live} /></Section>
                <Section title={t('batch.titles')}><Batches coupon={coupon} may={may && live} /></Section>
              </>
            )}
            {coupon && <Section title={t('versions.title')}><Versions coupon={coupon} /></Section>}
          </>
        )}
      >
        <Section>
          {coupon && <p style={{ marginBottom: 12 }}><StatusTag tone={tones[coupon.state]}>{t(`state.${coupon.state}`)}</StatusTag></p>}
          <p className={styles.words} aria-live="polite">{words.say(terms)}</p>
        </Section>
        <ProblemForm<Values> form={form} error={save.error} className={styles.form} disabled={!may} initialValues={initial} onValuesChange={() => setDirty(true)} onFinish={() => save.mutate(form.getFieldsValue(true) as Values)}>
          <Fields values={values} isNew={!coupon} money={money} />
        </ProblemForm>
      </WithAside>
      <ConfirmDialog
        open={step !== undefined}
        title={t(`confirm.${step ?? 'publish'}`, { name })}
        act={t(`move.${step ?? 'publish'}`)}
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

/** What it said before: each version with its sentence. */
function Versions({ coupon: c }: { coupon: CouponView }) {
  const { t } = useTranslation('coupon');
  const words = useTicketWords(c.money_currency);
  const list = useQuery({ queryKey: ['coupons', 'versions', c.id, c.version], queryFn: () => ok(api.GET('/v1/coupons/{id}/versions', { params: { path: { id: c.id } } })) });
  if (list.error) return <ErrorState error={list.error} retry={() => void list.refetch()} />;
  return <ol className={styles.list}>{(list.data?.items ?? []).map((v) => <li key={v.version}><div className={styles.between}><span>{t('versions.one', { n: v.version })}</span><When at={v.at} /></div><p className="quiet">{words.say(v)}</p></li>)}</ol>;
}
