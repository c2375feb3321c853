import { useQuery } from '@tanstack/react-query';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { programQuery, useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';

/** The first page. */
export default function DashboardPage() {
  const { t } = useTranslation('dashboard');
  const { named } = useFormat();
  const program = useQuery(programQuery).data;
  const can = useCan();
  return (
    <Page title={t('menu')}>
      {program && <Blank drawing="members" title={named(program)} text={t('welcome')} action={can('members.read') && <Link to="/members"><Button type="primary">{t('toMembers')}</Button></Link>} />}
    </Page>
  );
}
