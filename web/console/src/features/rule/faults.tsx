import type { RuleFaultView } from '@patron/shared/api/schema.d.ts';
import { useTranslation } from 'react-i18next';
import { useDraft } from './draft.ts';
import styles from './editor.module.css';

/** What is wrong with a part of the rule, under that part; for a condition with a way to the place. */
export function Faults({ of }: { of: string[] }) {
  const { t } = useTranslation('rule');
  const { faults } = useDraft();
  const mine = faults.filter((f) => of.some((part) => within(f, part)));
  if (mine.length === 0) return null;
  return (
    <div role="alert">
      {mine.map((f) => (
        <p key={`${f.location}${f.code}`} className={styles.fault}>
          {f.message}
          {f.line !== undefined && f.column !== undefined && <button type="button" onClick={() => goTo(f)}>{t('text.goTo')}</button>}
        </p>
      ))}
    </div>
  );
}

/** `rule.effect.per` lies within `effect`. */
function within(fault: RuleFaultView, part: string): boolean {
  const at = (fault.location ?? '').replace(/^rule\.?/, '');
  if (part === 'scope' && at === 'scope.line') return false; // it stands under its own field
  return at === part || at.startsWith(`${part}.`) || at.startsWith(`${part}[`) || (part === '' && at === '');
}

/** Puts the caret where the text of a condition is wrong. */
function goTo(fault: RuleFaultView) {
  const kind = fault.location?.endsWith('scope.line') ? 'line' : undefined;
  const box = document.querySelector<HTMLTextAreaElement>(kind ? `textarea[data-kind=${kind}]` : 'textarea[data-kind]:not([data-kind=line])');
  if (!box) return;
  const before = box.value.split('\n').slice(0, fault.line! - 1).join('\n');
  const at = (before ? before.length + 1 : 0) + fault.column! - 1;
  box.focus();
  const word = /^[\w.]+/.exec(box.value.slice(at))?.[0].length ?? 1;
  box.setSelectionRange(at, at + word);
}
