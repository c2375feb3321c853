import { api, ok } from '@patron/shared/api/client.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { App, Button, Modal } from 'antd';
import { useTranslation } from 'react-i18next';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import type { ActProps } from './acts.tsx';
import styles from './part.module.css';

/** Takes a record out again that was merged into the member. */
export default function Unmerge({ member, open, onClose }: ActProps) {
  const { t } = useTranslation('member');
  const { message } = App.useApp();
  const take = useWrite((ref: string, key) => ok(api.POST('/v1/members/{ref}/unmerge', { params: { path: { ref }, header: { 'Idempotency-Key': key } } })), {
    invalidates: [['member'], ['members']],
    onSuccess: (out) => {
      void message.success(t('unmerge.done', { number: out.number }));
      onClose();
    },
  });
  return (
    <Modal open={open} title={t('unmerge.title', { name: member.name || member.number })} footer={<Button onClick={onClose}>{t('unmerge.cancel')}</Button>} onCancel={onClose} afterClose={() => take.reset()} width={460}>
      <p className="lead">{t('unmerge.lead')}</p>
      <ProblemAlert error={take.error} />
      <ul className={styles.list}>
        {member.merged?.map((id) => {
          const own = member.identifiers?.filter((i) => i.from === id) ?? [];
          return (
            <li key={id}>
              <div>{own.length ? own.map((i) => t(`identifiers.kind.${i.kind}`)).join(t('listComma')) : t('unmerge.bare')}<p className="quiet">{id}</p></div>
              <Button size="small" danger loading={take.isPending && take.variables === id} onClick={() => take.mutate(id)}>{t('unmerge.act')}</Button>
            </li>
          );
        })}
      </ul>
    </Modal>
  );
}
