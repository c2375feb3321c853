import { api, ok } from '@patron/shared/api/client.ts';
import type { SetMemberTierSetInBody, TierStandingView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Checkbox, DatePicker, Select } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useTiers } from '../../frame/lookups.ts';
import { ReasonDialog } from '../../ui/reason-dialog.tsx';
import type { Member } from './api.ts';
import styles from './act.module.css';

interface Props {
  open: boolean;
  member: Member;
  standing: TierStandingView;
  onClose: () => void;
}

/** Gives a tier by hand: which one, until when, whether it is locked, and why. */
export function SetTier({ open, member, standing: s, onClose }: Props) {
  const { t } = useTranslation('member');
  const { named } = useFormat();
  const tiers = useTiers();
  const list = tiers.of(s.scheme);
  const [to, setTo] = useState<string>();
  const [until, setUntil] = useState<Dayjs | null>(null);
  const [lock, setLock] = useState(false);
  const close = () => {
    setTo(undefined);
    setUntil(null);
    setLock(false);
    change.reset();
    onClose();
  };
  const change = useWrite((body: SetMemberTierSetInBody, key) => ok(api.POST('/v1/members/{ref}/tier', { body, params: { path: { ref: member.id }, header: { 'Idempotency-Key': key } } })), {
    invalidates: [['member'], ['members'], ['tiers']],
    onSuccess: () => close(),
  });
  const now = s.tier?.code ?? '';
  const chosen = to ?? now;
  const name = (code: string) => (code ? tiers.nameOf(code, s.scheme) : t('standing.noneYet'));
  return (
    <ReasonDialog
      open={open}
      title={t('standing.set.title', { name: member.name || member.number })}
      change={chosen !== now ? [{ label: t('standing.set.change'), before: name(now), after: name(chosen) }] : []}
      act={chosen ? t('standing.set.act', { tier: name(chosen) }) : t('standing.set.actNone')}
      cancel={t('standing.set.cancel')}
      danger={!chosen}
      pending={change.isPending}
      error={change.error}
      onSubmit={(reason) => change.mutate({ scheme: s.scheme, tier: chosen, reason, lock, ...(until && { until: until.format('YYYY-MM-DD') }) })}
      onCancel={close}
    >
      <div className={styles.fields}>
        <div><span>{t('standing.set.tier')}</span><Select aria-label={t('standing.set.tier')} value={chosen} onChange={setTo} options={[...list.map((one) => ({ value: one.code, label: named(one) })), { value: '', label: t('standing.noneYet') }]} /></div>
        <div><span>{t('standing.set.until')}</span><DatePicker aria-label={t('standing.set.until')} value={until} onChange={(d: Dayjs | null) => setUntil(d)} disabledDate={(d: Dayjs) => d.isBefore(dayjs(), 'day')} style={{ width: '100%' }} /></div>
      </div>
      <Checkbox checked={lock} onChange={(e) => setLock(e.target.checked)} style={{ marginBottom: 8 }}>{t('standing.set.lock')}</Checkbox>
      <p className="quiet" style={{ marginBottom: 12 }}>{t('standing.set.what')}</p>
    </ReasonDialog>
  );
}

/** Lets the rules decide again. */
export function Unlock({ open, member, standing: s, onClose }: Props) {
  const { t } = useTranslation('member');
  const unlock = useWrite((reason: string, key) => ok(api.DELETE('/v1/members/{ref}/tier/lock', { params: { path: { ref: member.id }, query: { scheme: s.scheme, reason }, header: { 'Idempotency-Key': key } } })), {
    invalidates: [['member'], ['members'], ['tiers']],
    onSuccess: onClose,
  });
  return (
    <ReasonDialog
      open={open}
      title={t('standing.unlock.title', { name: member.name || member.number })}
      act={t('standing.unlock.act')}
      cancel={t('standing.unlock.cancel')}
      pending={unlock.isPending}
      error={unlock.error}
      onSubmit={(reason) => unlock.mutate(reason)}
      onCancel={() => {
        unlock.reset();
        onClose();
      }}
    >
      <p style={{ marginBottom: 12 }}>{t('standing.unlock.what')}</p>
    </ReasonDialog>
  );
}
