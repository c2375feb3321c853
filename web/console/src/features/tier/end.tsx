import { api, ok } from '@patron/shared/api/client.ts';
import type { TierSchemeView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useQuery } from '@tanstack/react-query';
import { App } from 'antd';
import { useTranslation } from 'react-i18next';
import { tiersQuery } from '../../frame/lookups.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';

interface Props {
  open: boolean;
  scheme: TierSchemeView;
  onClose: () => void;
}

/** Ends a ladder: nobody stands on it any more. */
export function End({ open, scheme: s, onClose }: Props) {
  const { t } = useTranslation('tier');
  const { named, count } = useFormat();
  const { message } = App.useApp();
  const counted = useQuery(tiersQuery).data?.items?.find((l) => l.scheme === s.code);
  const end = useWrite((edited: number, key) => ok(api.POST('/v1/tier-schemes/{code}/end', { params: { path: { code: s.code }, query: { edited }, header: { 'Idempotency-Key': key } } })), {
    invalidates: [['tier-schemes'], ['tiers'], ['member'], ['members']],
    onSuccess: () => {
      void message.success(t('end.done'));
      onClose();
    },
  });
  const name = s.live ? named(s.live) : s.code;
  const n = counted ? counted.members - counted.none : 0;
  return (
    <ConfirmDialog open={open} danger title={t('end.title', { name })} act={t('end.act')} cancel={t('end.cancel')} pending={end.isPending} error={end.error} onOk={() => end.mutate(s.edited)}
      onCancel={() => {
        end.reset();
        onClose();
      }}
    >
      <p>{t('end.what', { count: n, n: count(n) })}</p>
    </ConfirmDialog>
  );
}

/** Throws the draft away: what is live stays. */
export function DropDraft({ open, scheme: s, onClose, onDone }: Props & { onDone: (s: TierSchemeView) => void }) {
  const { t } = useTranslation('tier');
  const drop = useWrite((_: null, key) => ok(api.DELETE('/v1/tier-schemes/{code}/draft', { params: { path: { code: s.code }, header: { 'Idempotency-Key': key } } })), {
    invalidates: [['tier-schemes']],
    onSuccess: (out) => {
      onDone(out);
      onClose();
    },
  });
  return (
    <ConfirmDialog open={open} danger title={t('drop.title')} act={t('drop.act')} cancel={t('drop.cancel')} pending={drop.isPending} error={drop.error} onOk={() => drop.mutate(null)}
      onCancel={() => {
        drop.reset();
        onClose();
      }}
    >
      <p>{t('drop.what', { version: s.version })}</p>
    </ConfirmDialog>
  );
}
