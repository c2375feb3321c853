import { api, ok } from '@patron/shared/api/client.ts';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Section } from '../../ui/section.tsx';
import { useGroups, useRuleName, useSaid, type Definition, type Rule } from './api.ts';
import styles from './editor.module.css';

/** The other rules that the same purchase meets, in the order in which they run, and how they go together with this one. */
export function Others({ def, self }: { def: Definition; self: string | undefined }) {
  const { t } = useTranslation('rule');
  const said = useSaid();
  const nameOf = useRuleName();
  const groups = useGroups();
  const on = def.trigger.on;
  const live = useQuery({ queryKey: ['rules', 'live', on], queryFn: () => ok(api.GET('/v1/rules', { params: { query: { state: 'live', trigger: on, limit: 50 } } })) });
  const list = (live.data?.items ?? []).filter((r) => r.id !== self).sort((a, b) => a.stage - b.stage);
  if (list.length === 0) return null;
  const group = groups.find((g) => g.code === def.stack?.group);
  const stage = group?.stage ?? def.stack?.stage ?? 0;
  const relation = (r: Rule) => {
    if (group && r.rule.stack?.group === group.code) return t(`with.same.${group.mode}`);
    return r.stage < stage ? t('with.before') : r.stage > stage ? t('with.after') : t('with.beside');
  };
  return (
    <Section title={t('with.others')} note={t('with.othersNote')}>
      <table className={styles.others}>
        <tbody>
          {list.map((r) => (
            <tr key={r.id}>
              <td className={styles.name}><Link to={`/rules/${r.id}`}>{nameOf(r.rule)}</Link></td>
              <td className="quiet">{said(r.words)}</td>
              <td><span className={styles.relation}>{relation(r)}</span></td>
            </tr>
          ))}
        </tbody>
      </table>
    </Section>
  );
}
