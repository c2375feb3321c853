import { api, ok } from '@patron/shared/api/client.ts';
import { When } from '@patron/shared/ui/when.tsx';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useActors, useDid } from '../../frame/lookups.ts';
import { keyOf, type Member } from './api.ts';
import { More, useMore } from './more.tsx';
import styles from './part.module.css';

/** Who did or read what of the member, from where. */
export function AuditPart({ member }: { member: Member }) {
  const { t } = useTranslation('member');
  const who = useActors();
  const did = useDid();
  const list = useMore([...keyOf(member.id), 'audit'], (cursor) => ok(api.GET('/v1/audit', { params: { query: { subject: member.id, cursor, limit: 30 } } })));
  return (
    <More list={list} empty={t('audit.empty')}>
      {(rows) => (
        <>
          <ul className={styles.list}>
            {rows.map((e) => (
              <li key={e.id}>
                <p>{did(e.action)}</p>
                <p className={styles.meta}><span>{who(e.actor_kind === 'staff' ? `staff:${e.actor}` : e.actor_kind)}</span><When at={e.at} />{e.ip && <span>{e.ip}</span>}</p>
              </li>
            ))}
          </ul>
          <p style={{ marginTop: 8, fontSize: 12 }}><Link to={`/audit?subject=${member.id}`}>{t('audit.whole')}</Link></p>
        </>
      )}
    </More>
  );
}
