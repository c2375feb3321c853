import { StatusTag, type Tone } from '@patron/shared/ui/status-tag.tsx';
import type { IconName } from '@patron/shared/ui/icon.tsx';
import { useTranslation } from 'react-i18next';
import type { State } from './api.ts';

const looks: Record<State, { tone: Tone; icon: IconName }> = {
  draft: { tone: 'plain', icon: 'note' },
  scheduled: { tone: 'info', icon: 'calendar' },
  live: { tone: 'success', icon: 'approve' },
  paused: { tone: 'warning', icon: 'minus' },
  ended: { tone: 'plain', icon: 'lock' },
};

/** Where a rule stands. */
export function RuleState({ state }: { state: State }) {
  const { t } = useTranslation('rule');
  return <StatusTag tone={looks[state].tone} icon={looks[state].icon}>{t(`state.${state}`)}</StatusTag>;
}
