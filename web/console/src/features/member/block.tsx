import { api, ok } from '@patron/shared/api/client.ts';
import type { BlockMemberBlockInBody } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { Checkbox } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ReasonDialog } from '../../ui/reason-dialog.tsx';
import type { ActProps } from './acts.tsx';

/** Stops a member from earning, spending or both, or lets them again. */
export default function Block({ member, open, onClose }: ActProps) {
  const { t } = useTranslation('member');
  const now = member.cards?.blocked ?? { earn: false, spend: false };
  const free = now.earn || now.spend; // what is blocked is freed
  const [what, setWhat] = useState<('earn' | 'spend')[]>(['earn', 'spend']);
  const change = useWrite(
    ({ body, off }: { body: BlockMemberBlockInBody; off: boolean }, key) =>
      ok(api.POST(off ? '/v1/members/{ref}/unblock' : '/v1/members/{ref}/block', { body, params: { path: { ref: member.id }, header: { 'Idempotency-Key': key } } })),
    { invalidates: [['member']], onSuccess: onClose },
  );
  const name = member.name || member.number;
  const word = (blocked: boolean) => t(blocked ? 'block.no' : 'block.yes');
  const after = { earn: free ? now.earn && !what.includes('earn') : what.includes('earn'), spend: free ? now.spend && !what.includes('spend') : what.includes('spend') };
  return (
    <ReasonDialog
      open={open}
      title={t(free ? 'block.freeTitle' : 'block.title', { name })}
      change={(['earn', 'spend'] as const).filter((k) => after[k] !== now[k]).map((k) => ({ label: t(`block.${k}`), before: word(now[k]), after: word(after[k]) }))}
      act={t(free ? 'block.freeAct' : 'block.act')}
      cancel={t(free ? 'block.freeCancel' : 'block.cancel')}
      danger={!free}
      reasonLabel={t('block.reason')}
      pending={change.isPending}
      error={change.error}
      onCancel={() => {
        change.reset();
        onClose();
      }}
      onSubmit={(reason) => what.length > 0 && change.mutate({ off: free, body: { reason, earn: what.includes('earn'), spend: what.includes('spend') } })}
    >
      <Checkbox.Group style={{ marginBottom: 16, gap: 16 }} value={what} onChange={setWhat} options={(['earn', 'spend'] as const).map((value) => ({ value, label: t(`block.${value}`) }))} />
    </ReasonDialog>
  );
}
