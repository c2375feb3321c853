import { api, ok } from '@patron/shared/api/client.ts';
import type { OfferView, SendOfferSendInBody } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, Form, Input, Progress, Radio } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { ErrorState } from '../../ui/states.tsx';
import styles from './offer-page.module.css';

interface Values {
  whom: 'all' | 'condition' | 'members';
  name: string;
  condition?: string;
  members?: string;
}

/** To whom the offer was sent, and sending it to more. */
export function Sendings({ offer, may }: { offer: OfferView; may: boolean }) {
  const { t } = useTranslation('offer');
  const { count } = useFormat();
  const [open, setOpen] = useState(false);
  const list = useQuery({
    queryKey: ['offers', 'sendings', offer.id],
    queryFn: () => ok(api.GET('/v1/offers/{id}/sendings', { params: { path: { id: offer.id }, query: { limit: 20 } } })),
    refetchInterval: (q) => (q.state.data?.items?.some((s) => s.state === 'running' || s.state === 'filling') ? 1500 : false),
  });
  const send = useWrite((v: Values, key) => {
    const body: SendOfferSendInBody = { name: v.name, ...(v.whom === 'all' && { all: true }), ...(v.whom === 'condition' && { condition: v.condition ?? '' }), ...(v.whom === 'members' && { members: (v.members ?? '').split(/[\s,，]+/).filter(Boolean) }) };
    return ok(api.POST('/v1/offers/{id}/send', { body, params: { path: { id: offer.id }, header: { 'Idempotency-Key': key } } }));
  }, { invalidates: [['offers']], onSuccess: () => setOpen(false) });
  if (list.error) return <ErrorState error={list.error} retry={() => void list.refetch()} />;
  const items = list.data?.items ?? [];
  return (
    <>
      {may && <Button onClick={() => setOpen(true)}>{t('send.open')}</Button>}
      {list.data && items.length === 0 && <p className="quiet" style={{ marginTop: 8 }}>{t('send.none')}</p>}
      <ul className={styles.list}>
        {items.map((s) => (
          <li key={s.id}>
            <div className={styles.between}><span>{s.name || t('send.unnamed')}</span><span className="quiet">{t(`send.state.${s.state}`)}</span></div>
            {s.state === 'running' && s.total > 0 && <Progress size="small" percent={Math.round((s.looked_at / s.total) * 100)} aria-label={t('send.state.running')} />}
            <p className="quiet">{t('send.said', { sent: count(s.sent), passed: count(s.passed_over + s.refused) })} <When at={s.made_at} /></p>
          </li>
        ))}
      </ul>
      <FormDrawer<Values> open={open} title={t('send.title')} act={t('send.act')} first="name" initial={{ whom: 'all', name: '' }} write={send} onSave={(v) => send.mutate(v)} onClose={() => setOpen(false)}>
        <Form.Item name="name" label={t('send.name')}><Input maxLength={120} /></Form.Item>
        <Form.Item name="whom" label={t('send.whom')}><Radio.Group options={(['all', 'condition', 'members'] as const).map((value) => ({ value, label: t(`send.whoms.${value}`) }))} /></Form.Item>
        <Form.Item noStyle shouldUpdate>
          {({ getFieldValue }) => (
            <>
              {getFieldValue('whom') === 'condition' && <Form.Item name="condition" label={t('send.condition')} extra={t('field.audienceHelp')} rules={[{ required: true, message: t('send.needed') }]}><Input.TextArea autoSize={{ minRows: 2 }} style={{ fontFamily: 'ui-monospace, monospace' }} /></Form.Item>}
              {getFieldValue('whom') === 'members' && <Form.Item name="members" label={t('send.members')} extra={t('send.membersHelp')} rules={[{ required: true, message: t('send.needed') }]}><Input.TextArea autoSize={{ minRows: 3 }} /></Form.Item>}
            </>
          )}
        </Form.Item>
      </FormDrawer>
    </>
  );
}
