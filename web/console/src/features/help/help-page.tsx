import { Icon } from '@patron/shared/ui/icon.tsx';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useCan, useMe } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { useFilters } from '../../ui/filters.ts';
import { Section } from '../../ui/section.tsx';
import { ViewTabs } from '../../ui/view-tabs.tsx';
import { useFacts } from './facts.ts';
import { guides, roles, type Role, type Step } from './guides.ts';
import styles from './help-page.module.css';

/** The first day of everybody who works here; one's own first. */
export default function HelpPage() {
  const { t } = useTranslation('help');
  const me = useMe();
  const own = roles.find((r) => r === me.role) ?? 'integrator';
  const { values, set } = useFilters(['role'] as const);
  const role: Role = roles.find((r) => r === values.role) ?? own;
  const order = [own, ...roles.filter((r) => r !== own)];
  const steps = guides[role];
  const facts = useFacts(role === own ? steps.flatMap((s) => s.done ?? []) : []);
  const known = steps.filter((s) => s.done && facts[s.done] !== undefined);
  const done = known.filter((s) => facts[s.done!]).length;
  return (
    <Page title={t('title')}>
      <Section>
        <ViewTabs label={t('role')} value={role} onChange={(next) => set({ role: next === own ? undefined : next })} items={order.map((key) => ({ key, label: t(`roles.${key}`) }))} />
        <p className={styles.lead}>{t(`guide.${role}.lead`)}</p>
        {known.length > 0 && <p className="quiet" role="status">{done === known.length ? t('allDone') : t('done', { done, all: known.length })}</p>}
        <ol className={styles.steps}>
          {steps.map((step, i) => <StepRow key={step.key} role={role} step={step} number={i + 1} done={step.done && facts[step.done]} />)}
        </ol>
      </Section>
      <Section title={t('more.title')}>
        <ul className={styles.more}>
          <li>{t('more.search')}</li>
          <li>{t('more.figures')}</li>
          <li>{t('more.link')}</li>
          <li><a href="/docs" target="_blank" rel="noreferrer">{t('more.api')}</a></li>
        </ul>
      </Section>
    </Page>
  );
}

function StepRow({ role, step, number, done }: { role: Role; step: Step; number: number; done: boolean | undefined }) {
  const { t } = useTranslation('help');
  const can = useCan();
  const go = step.to && t(`guide.${role}.${step.key}.go`);
  return (
    <li className={styles.step} data-done={done ? true : undefined}>
      <span className={styles.mark} aria-hidden>{done ? <Icon name="approve" size={18} /> : number}</span>
      <div>
        <h3>{t(`guide.${role}.${step.key}.title`)}{done && <span className="visually-hidden"> ({t('isDone')})</span>}</h3>
        <p>{t(`guide.${role}.${step.key}.text`)}</p>
        {step.to && (step.outside
          ? <a href={step.to} target="_blank" rel="noreferrer">{go}</a>
          : can(step.needs) && <Link to={step.to}>{go}</Link>)}
      </div>
    </li>
  );
}
