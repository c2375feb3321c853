import { api, ok } from '@patron/shared/api/client.ts';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useCan } from '../../frame/me.ts';
import { Section } from '../../ui/section.tsx';
import { keyOf, type Member } from './api.ts';
import styles from './part.module.css';
import { Task } from './tasks-part.tsx';

/** What is open for the member, where there is something. */
export function OpenTasks({ member, to }: { member: Member; to: string }) {
  const { t } = useTranslation('member');
  const can = useCan();
  const list = useQuery({
    queryKey: [...keyOf(member.id), 'tasks', 'aside'],
    queryFn: () => ok(api.GET('/v1/members/{ref}/tasks', { params: { path: { ref: member.id }, query: { state: 'open', limit: 3 } } })),
  }).data;
  const rows = list?.items ?? [];
  if (rows.length === 0) return null;
  return (
    <Section title={t('tasks.aside')} extra={<Link to={to}>{t('tasks.all')}</Link>}>
      <ul className={styles.list}>{rows.map((task) => <Task key={task.id} task={task} may={can('members.write')} />)}</ul>
    </Section>
  );
}
