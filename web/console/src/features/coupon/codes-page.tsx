import { api, ok } from '@patron/shared/api/client.ts';
import type { CouponStepView, GetVoucherHistoryOutBody } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, Input, Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { useStores } from '../../frame/lookups.ts';
import { programQuery, useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { ReasonDialog } from '../../ui/reason-dialog.tsx';
import { Section } from '../../ui/section.tsx';
import { ErrorState } from '../../ui/states.tsx';
import styles from './coupon.module.css';
import { Pages } from './pages.tsx';
import { endOf, voucherTones } from './words.ts';

/** One code: what it is, where it stands, and all that happened to it. */
export default function CodesPage() {
  const { t } = useTranslation('coupon');
  const [search, setSearch] = useSearchParams();
  const code = search.get('code') ?? '';
  const found = useQuery({ queryKey: ['vouchers', 'one', code], enabled: code !== '', retry: false, queryFn: () => ok(api.GET('/v1/vouchers/{code}', { params: { path: { code } } })) });
  return (
    <Page title={t('codes.menu')} crumbs={[{ to: '/coupons', title: t('menu') }]}>
      <Pages />
      <Section>
        <Input.Search key={code} defaultValue={code} allowClear enterButton={t('codes.act')} maxLength={60} style={{ maxWidth: 460, marginBottom: 20 }} aria-label={t('codes.field')} placeholder={t('codes.hint')} onSearch={(v) => setSearch(v.trim() ? { code: v.trim() } : {})} />
        {code === '' ? <p className="quiet">{t('codes.about')}</p>
          : found.error?.status === 404 ? <Blank drawing="result" title={t('codes.none', { code })} text={t('codes.noneText')} />
            : found.error ? <ErrorState error={found.error} retry={() => void found.refetch()} />
              : !found.data ? <Skeleton active /> : <One voucher={found.data} />}
      </Section>
    </Page>
  );
}

function One({ voucher: v }: { voucher: GetVoucherHistoryOutBody }) {
  const { t } = useTranslation('coupon');
  const { money } = useFormat();
  const can = useCan();
  const currency = useQuery(programQuery).data?.currency ?? 'CNY';
  const [revoking, setRevoking] = useState(false);
  const revoke = useWrite((reason: string, key) => ok(api.POST('/v1/vouchers/{code}/revoke', { body: { reason }, params: { path: { code: v.code }, header: { 'Idempotency-Key': key } } })), { invalidates: [['vouchers'], ['coupons'], ['member']], onSuccess: () => setRevoking(false) });
  const open = ['issued', 'claimed', 'gifting'].includes(v.state);
  return (
    <>
      <p className={styles.between} style={{ maxWidth: 620, flexWrap: 'wrap' }}><span className={styles.code}>{v.shown}</span><StatusTag tone={voucherTones[v.state]}>{t(`voucher.${v.state}`)}</StatusTag></p>
      <dl className={styles.facts} style={{ maxWidth: 620 }}>
        <div><dt>{t('field.name')}</dt><dd>{can('rules.read') ? <Link to={`/coupons/${v.coupon_id}`}>{v.name}</Link> : v.name}</dd></div>
        <div><dt>{t('codes.origin')}</dt><dd>{t(`origin.${v.origin}`)}</dd></div>
        {v.member_id && <div><dt>{t('codes.member')}</dt><dd><Link to={`/members/${v.member_id}`}>{t('codes.seeMember')}</Link></dd></div>}
        {v.valid_from && <div><dt>{t('codes.from')}</dt><dd><When at={v.valid_from} /></dd></div>}
        <div><dt>{t('codes.until')}</dt><dd>{v.valid_until ? <When at={endOf(v.valid_until)} as="deadline" /> : t('noEnd')}</dd></div>
        {v.uses > 0 && <div><dt>{t('codes.off')}</dt><dd>{money(v.off, currency)}</dd></div>}
      </dl>
      {!v.check_ok && <p className="quiet">{t('codes.unsound')}</p>}
      <h2 style={{ margin: '16px 0 4px' }}>{t('codes.history')}</h2>
      <ol className={styles.list} style={{ maxWidth: 620 }}>{(v.history ?? []).map((s, i) => <Step key={i} step={s} currency={currency} />)}</ol>
      {can('rules.write') && open && <Button danger style={{ marginTop: 16 }} onClick={() => setRevoking(true)}>{t('codes.revoke')}</Button>}
      <ReasonDialog open={revoking} title={t('codes.revokeAsk', { code: v.shown })} act={t('codes.revoke')} cancel={t('confirm.cancel')} danger pending={revoke.isPending} error={revoke.error} onSubmit={(reason) => revoke.mutate(reason)} onCancel={() => { revoke.reset(); setRevoking(false); }} />
    </>
  );
}

function Step({ step: s, currency }: { step: CouponStepView; currency: string }) {
  const { t } = useTranslation('coupon');
  const { money } = useFormat();
  const stores = useStores();
  const where = [s.store_id && stores.nameOf(s.store_id), s.till && t('step.till', { till: s.till })].filter(Boolean).join(' · ');
  return (
    <li>
      <div className={styles.between}><span>{t(`step.${s.step}`)}{s.amount ? ` ${money(s.step === 'redeemed' ? -s.amount : s.amount, currency)}` : ''}</span><When at={s.at} /></div>
      {(where || s.sale_id) && <p className="quiet">{where} {s.sale_id && <Link className={styles.inline} to={`/sales/${s.sale_id}`}>{t('step.sale')}</Link>}</p>}
    </li>
  );
}
