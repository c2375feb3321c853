import { api, ok } from '@patron/shared/api/client.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useQueryClient } from '@tanstack/react-query';
import { Button, Dropdown } from 'antd';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { forgetMe, meQuery, useMe } from '../frame/me.ts';
import styles from './person-menu.module.css';

/** Who is signed in, at the foot of the side. */
export function PersonMenu() {
  const { t } = useTranslation('frame');
  const me = useMe();
  const client = useQueryClient();
  const navigate = useNavigate();

  async function signOut() {
    await ok(api.POST('/v1/sign-out'));
    forgetMe();
    client.clear();
    client.setQueryData(meQuery.queryKey, null);
  }

  return (
    <div className={styles.foot}>
      <span className={styles.face} aria-hidden>{[...me.name][0]}</span>
      <div className={styles.who}>
        <div className={styles.name}>{me.name}</div>
        <div className={styles.note}>{me.sandbox ? t('person.sandbox') : t('person.signedIn')}</div>
      </div>
      <Dropdown
        trigger={['click']}
        placement="topRight"
        menu={{
          items: [
            { key: 'account', icon: <Icon name="member" size={18} />, label: t('person.account'), onClick: () => void navigate('/account') },
            { type: 'divider' },
            { key: 'out', icon: <Icon name="signOut" size={18} />, label: t('person.signOut'), onClick: () => void signOut() },
          ],
        }}
      >
        <Button type="text" size="small" icon={<Icon name="more" />} aria-label={t('person.menu')} />
      </Dropdown>
    </div>
  );
}
