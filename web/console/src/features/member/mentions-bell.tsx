import { api, ok } from '@patron/shared/api/client.ts';
import type { MemberMentionView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { Badge, Button, Popover, Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useActors } from '../../frame/lookups.ts';
import { useCan } from '../../frame/me.ts';
import { ErrorState } from '../../ui/states.tsx';
import styles from './mentions-bell.module.css';

/** The notes and calls in which colleagues named one; those not read are counted on the bell. */
export default function MentionsBell() {
  return useCan()('members.read') ? <Bell /> : null;
}

function Bell() {
  const { t } = useTranslation('member');
  const [open, setOpen] = useState(false);
  const list = useQuery({ queryKey: ['mentions'], queryFn: () => ok(api.GET('/v1/me/mentions', { params: { query: { limit: 10 } } })), refetchInterval: 60_000 });
  const read = useWrite((id: string, key) => ok(api.POST('/v1/me/mentions/read', { body: { id, up_to: true }, params: { header: { 'Idempotency-Key': key } } })), { invalidates: [['mentions']] });
  const rows = list.data?.items ?? [];
  const unread = list.data?.unread ?? 0;
  const label = unread > 0 ? t('mentions.unread', { count: unread }) : t('mentions.title');
  return (
    <Popover
      trigger="click"
      placement="bottomRight"
      open={open}
      onOpenChange={setOpen}
      title={t('mentions.title')}
      content={
        <div className={styles.list}>
          {list.error ? <ErrorState error={list.error} retry={() => void list.refetch()} /> : !list.data ? <Skeleton active title={false} /> : rows.length === 0 ? <p className="quiet">{t('mentions.none')}</p> : (
            <>
              <ul>{rows.map((m) => <Row key={m.id} mention={m} onGo={() => setOpen(false)} />)}</ul>
              {unread > 0 && <Button size="small" loading={read.isPending} onClick={() => read.mutate(rows[0]!.id)}>{t('mentions.read')}</Button>}
            </>
          )}
        </div>
      }
    >
      <Button type="text" aria-label={label} icon={<Badge count={unread} size="small" overflowCount={99}><Icon name="bell" /></Badge>} />
    </Popover>
  );
}

function Row({ mention, onGo }: { mention: MemberMentionView; onGo: () => void }) {
  const { t } = useTranslation('member');
  const who = useActors();
  return (
    <li data-unread={mention.read_at ? undefined : true}>
      <Link to={`/members/${mention.member_id}/notes`} onClick={onGo}>{t(`mentions.in.${mention.what}`, { who: who(mention.by) })}</Link>
      <p>{mention.text || t('mentions.gone')}</p>
      <p className="quiet"><When at={mention.at} /></p>
    </li>
  );
}
