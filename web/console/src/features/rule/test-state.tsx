import type { RuleTestView } from '@patron/shared/api/schema.d.ts';
import { StatusTag, type Tone } from '@patron/shared/ui/status-tag.tsx';
import type { IconName } from '@patron/shared/ui/icon.tsx';
import { useTranslation } from 'react-i18next';

const looks: Record<RuleTestView['state'], { tone: Tone; icon?: IconName }> = {
  waiting: { tone: 'info' },
  running: { tone: 'info', icon: 'refresh' },
  done: { tone: 'success' },
  failed: { tone: 'error' },
  cancelled: { tone: 'plain' },
};

/** Where a back-test stands, and how far it is. */
export function TestState({ test }: { test: RuleTestView }) {
  const { t } = useTranslation('rule');
  const look = looks[test.state];
  return <StatusTag tone={look.tone} icon={look.icon}>{t(`tests.state.${test.state}`)}{test.state === 'running' && test.total > 0 ? ` ${Math.min(99, Math.floor((test.done / test.total) * 100))}%` : ''}</StatusTag>;
}
