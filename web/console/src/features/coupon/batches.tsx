import { api, ok } from '@patron/shared/api/client.ts';
import type { CouponBatchView, CouponView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, Form, Input, InputNumber, Progress, Radio } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { ErrorState } from '../../ui/states.tsx';
import styles from './coupon.module.css';

const running = (list: CouponBatchView[] | null | undefined) => (list?.some((b) => b.state === 'running' || b.state === 'filling') ? 1500 : false);

/** Batches of codes that were made, and making one. */
export function Batches({ coupon: c, may }: { coupon: CouponView; may: boolean }) {
  const { t } = useTranslation('coupon');
  const { count } = useFormat();
  const [open, setOpen] = useState(false);
  const list = useQuery({
    queryKey: ['coupons', 'batches', c.id],
    queryFn: () => ok(api.GET('/v1/coupons/{id}/batches', { params: { path: { id: c.id }, query: { limit: 20 } } })),
    refetchInterval: (q) => running(q.state.data?.items),
  });
  const make = useWrite((v: { name?: string; count: number; pattern?: string }, key) => ok(api.POST('/v1/coupons/{id}/batches', { body: { count: v.count, ...(v.name && { name: v.name }), ...(v.pattern && { pattern: v.pattern }) }, params: { path: { id: c.id }, header: { 'Idempotency-Key': key } } })), { invalidates: [['coupons']], onSuccess: () => setOpen(false) });
  if (list.error) return <ErrorState error={list.error} retry={() => void list.refetch()} />;
  const items = list.data?.items ?? [];
  return (
    <>
      {may && <Button onClick={() => setOpen(true)}>{t('batch.open')}</Button>}
      {list.data && items.length === 0 && <p className="quiet" style={{ marginTop: 8 }}>{t('batch.none')}</p>}
      <ul className={styles.list}>
        {items.map((b) => (
          <li key={b.id}>
            <div className={styles.between}><span>{b.name || t('batch.unnamed')}</span><span className="quiet">{t(`job.${b.state === 'running' && c.state === 'paused' ? 'paused' : b.state}`)}</span></div>
            {(b.state === 'running' || b.state === 'filling') && b.total > 0 && <Progress size="small" percent={Math.floor((b.issued / b.total) * 100)} aria-label={t('job.running')} />}
            <p className="quiet">{t('batch.said', { done: count(b.issued), total: count(b.total) })} <When at={b.made_at} /></p>
            {may && b.state === 'done' && <a href={`/v1/coupon-batches/${b.id}/codes`} download>{t('batch.download')}</a>}
          </li>
        ))}
      </ul>
      <FormDrawer<{ name?: string; count: number; pattern?: string }> open={open} title={t('batch.title')} act={t('batch.act')} first="name" initial={{ count: 100 }} write={make} onSave={(v) => make.mutate(v)} onClose={() => setOpen(false)}>
        <Form.Item name="name" label={t('batch.name')}><Input maxLength={100} /></Form.Item>
        <Form.Item name="count" label={t('batch.count')} rules={[{ required: true, message: t('needed') }]}><InputNumber min={1} max={1_000_000} precision={0} style={{ width: 160 }} /></Form.Item>
        <Form.Item name="pattern" label={t('batch.pattern')} extra={t('batch.patternHelp')}><Input maxLength={60} placeholder="TEA-####-####-####-#" /></Form.Item>
      </FormDrawer>
    </>
  );
}

interface Send {
  whom: 'all' | 'condition' | 'members';
  name: string;
  condition?: string;
  members?: string;
}

/** To whom the coupon was sent, and sending it to more. */
export function Sendings({ coupon: c, may }: { coupon: CouponView; may: boolean }) {
  const { t } = useTranslation('coupon');
  const { count } = useFormat();
  const [open, setOpen] = useState(false);
  const list = useQuery({
    queryKey: ['coupons', 'sendings', c.id],
    queryFn: () => ok(api.GET('/v1/coupons/{id}/sendings', { params: { path: { id: c.id }, query: { limit: 20 } } })),
    refetchInterval: (q) => running(q.state.data?.items),
  });
  const send = useWrite((v: Send, key) => {
    const body = { name: v.name, ...(v.whom === 'all' && { all: true }), ...(v.whom === 'condition' && { condition: v.condition ?? '' }), ...(v.whom === 'members' && { members: (v.members ?? '').split(/[\s,，]+/).filter(Boolean) }) };
    return ok(api.POST('/v1/coupons/{id}/send', { body, params: { path: { id: c.id }, header: { 'Idempotency-Key': key } } }));
  }, { invalidates: [['coupons']], onSuccess: () => setOpen(false) });
  if (list.error) return <ErrorState error={list.error} retry={() => void list.refetch()} />;
  const items = list.data?.items ?? [];
  return (
    <>
      {may && <Button onClick={() => setOpen(true)}>{t('send.open')}</Button>}
      {list.data && items.length === 0 && <p className="quiet" style={{ marginTop: 8 }}>{t('send.none')}</p>}
      <ul className={styles.list}>
        {items.map((s) => (
          <li key={s.id}>
            <div className={styles.between}><span>{s.name || t('batch.unnamed')}</span><span className="quiet">{t(`job.${s.state === 'running' && c.state === 'paused' ? 'paused' : s.state}`)}</span></div>
            {s.state === 'running' && s.total > 0 && <Progress size="small" percent={Math.floor((s.looked_at / s.total) * 100)} aria-label={t('job.running')} />}
            <p className="quiet">{t('send.said', { sent: count(s.issued), passed: count(s.passed_over), refused: count(s.refused) })} <When at={s.made_at} /></p>
          </li>
        ))}
      </ul>
      <FormDrawer<Send> open={open} title={t('send.title')} act={t('send.act')} first="name" initial={{ whom: 'condition', name: '' }} write={send} onSave={(v) => send.mutate(v)} onClose={() => setOpen(false)}>
        <Form.Item name="name" label={t('send.name')} rules={[{ required: true, message: t('needed') }]}><Input maxLength={100} /></Form.Item>
        <Form.Item name="whom" label={t('send.whom')}><Radio.Group options={(['condition', 'members', 'all'] as const).map((value) => ({ value, label: t(`send.whoms.${value}`) }))} /></Form.Item>
        <Form.Item noStyle shouldUpdate>
          {({ getFieldValue }) => (
            <>
              {getFieldValue('whom') === 'condition' && <Form.Item name="condition" label={t('send.condition')} extra={t('field.audienceHelp')} rules={[{ required: true, message: t('needed') }]}><Input.TextArea autoSize={{ minRows: 2 }} style={{ fontFamily: 'ui-monospace, monospace' }} /></Form.Item>}
              {getFieldValue('whom') === 'members' && <Form.Item name="members" label={t('send.members')} extra={t('send.membersHelp')} rules={[{ required: true, message: t('needed') }]}><Input.TextArea autoSize={{ minRows: 3 }} /></Form.Item>}
            </>
          )}
        </Form.Item>
      </FormDrawer>
    </>
  );
}
