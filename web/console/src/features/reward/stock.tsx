import { api, ok } from '@patron/shared/api/client.ts';
import type { RewardView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Input, InputNumber } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useStores } from '../../frame/lookups.ts';
import { StoreSelect } from '../../ui/place-select.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import styles from './reward.module.css';

/** How much there is, and putting more in. */
export function Stock({ reward, may }: { reward: RewardView; may: boolean }) {
  const { t } = useTranslation('reward');
  const { count } = useFormat();
  const { nameOf } = useStores();
  const { message } = App.useApp();
  const client = useQueryClient();
  const [store, setStore] = useState<string>();
  const [n, setN] = useState<number | null>(null);
  const [codes, setCodes] = useState('');
  const add = useWrite((body: { add: number; store?: string }, key) => ok(api.POST('/v1/rewards/{id}/stock', { body, params: { path: { id: reward.id }, header: { 'Idempotency-Key': key } } })), { invalidates: [['rewards']], onSuccess: () => setN(null) });
  const upload = useMutation({
    mutationFn: () => ok(api.POST('/v1/rewards/{id}/codes', { params: { path: { id: reward.id } }, body: codes, bodySerializer: (b: unknown) => b as BodyInit, headers: { 'Content-Type': 'text/plain' } })),
    onSuccess: (out) => {
      setCodes('');
      void message.success(t('stock.codesAdded', { count: out.added }));
      return client.invalidateQueries({ queryKey: ['rewards'] });
    },
  });
  return (
    <>
      {(reward.stocks ?? []).length === 0 && <p className="quiet">{t('stock.nothing')}</p>}
      {(reward.stocks ?? []).map((s) => (
        <dl key={s.store_id ?? ''} className={styles.facts}>
          {s.store_id && <div><dt className={styles.store}>{nameOf(s.store_id)}</dt><dd /></div>}
          {(['left', 'taken', 'held', 'supply'] as const).map((k) => <div key={k}><dt>{t(`stock.${k}`)}</dt><dd>{count(s[k])}</dd></div>)}
        </dl>
      ))}
      <ProblemAlert error={add.error ?? upload.error} />
      {may && reward.kind === 'code' && (
        <div className={styles.stack}>
          <Input.TextArea aria-label={t('stock.codes')} placeholder={t('stock.codesHelp')} autoSize={{ minRows: 3, maxRows: 8 }} value={codes} onChange={(e) => setCodes(e.target.value)} style={{ fontFamily: 'ui-monospace, monospace' }} />
          <Button disabled={!codes.trim()} loading={upload.isPending} onClick={() => upload.mutate()}>{t('stock.addCodes')}</Button>
        </div>
      )}
      {may && reward.kind !== 'code' && (
        <div className={styles.stack}>
          {reward.stock === 'stores' && <StoreSelect aria-label={t('stock.store')} placeholder={t('stock.store')} value={store} onChange={(v) => setStore(v as string)} />}
          <div className={styles.between}>
            <InputNumber aria-label={t('stock.add')} placeholder="+10" precision={0} value={n} onChange={setN} style={{ width: '100%' }} />
            <Button disabled={!n || (reward.stock === 'stores' && !store)} loading={add.isPending} onClick={() => add.mutate({ add: n!, ...(reward.stock === 'stores' && store && { store }) })}>{t('stock.add')}</Button>
          </div>
          <p className="quiet">{t('stock.addHelp')}</p>
        </div>
      )}
    </>
  );
}
