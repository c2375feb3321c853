import { api, ok } from '@patron/shared/api/client.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { App } from 'antd';
import { useTranslation } from 'react-i18next';
import { Amount } from '../../ui/amount.tsx';
import type { Change } from '../../ui/change-list.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { ruleKeys, useRuleName, type Rule } from './api.ts';
import { RuleState } from './rule-state.tsx';

export type Act = 'pause' | 'resume' | 'end' | 'delete' | 'discard';

/** What may be done with a rule as it stands. */
export function actsOf(rule: Rule): Act[] {
  if (rule.state === 'draft') return ['delete'];
  if (rule.state === 'ended') return [];
  const change: Act[] = rule.draft ? ['discard'] : [];
  return [rule.state === 'paused' ? 'resume' : 'pause', ...change, 'end'];
}

interface Props {
  rule: Rule | undefined;
  act: Act;
  onClose: () => void;
  onDone?: (act: Act) => void;
}

/** Confirms that a rule is paused, resumed, ended, dropped: what it is now, what it becomes, what stays. */
export function ActDialog({ rule, act, onClose, onDone }: Props) {
  const { t } = useTranslation('rule');
  const { message } = App.useApp();
  const nameOf = useRuleName();
  const write = useWrite(
    async ({ ref, act }: { ref: string; act: Act }, key) => {
      const params = { path: { ref }, header: { 'Idempotency-Key': key } };
      switch (act) {
        case 'pause': return await ok(api.POST('/v1/rules/{ref}/pause', { params }));
        case 'resume': return await ok(api.POST('/v1/rules/{ref}/resume', { params }));
        case 'discard': return await ok(api.POST('/v1/rules/{ref}/discard', { params }));
        case 'end': return await ok(api.POST('/v1/rules/{ref}/end', { params, body: {} }));
        case 'delete': return void (await ok(api.DELETE('/v1/rules/{ref}', { params })));
      }
    },
    {
      invalidates: act === 'delete' ? [['rules']] : ruleKeys,
      onSuccess: () => {
        void message.success(t(`done.${act}`));
        onClose();
        onDone?.(act);
      },
    },
  );
  const name = rule ? nameOf(rule.draft && act === 'discard' ? rule.draft : rule.rule) : '';
  const close = () => {
    write.reset();
    onClose();
  };
  const becomes = ({ pause: 'paused', resume: 'live', end: 'ended' } as const)[act as 'pause'];
  const change: Change[] = rule && becomes ? [{ label: t('column.state'), before: <RuleState state={rule.state} />, after: <RuleState state={becomes} /> }] : [];
  return (
    <ConfirmDialog
      open={rule !== undefined}
      title={rule ? t(`ask.${act}`, { name }) : ''}
      change={change}
      act={t(`act.${act}`)}
      cancel={t(`not.${act}`)}
      danger={act === 'end' || act === 'delete' || act === 'discard'}
      pending={write.isPending}
      error={write.error}
      onOk={() => rule && write.mutate({ ref: rule.id, act })}
      onCancel={close}
    >
      <p className="lead">
        {t(`follows.${act}`)}
        {act === 'end' && rule?.given && rule.given.points > 0 && <> {t('givenSoFar')} <Amount amount={rule.given.points} currency={rule.rule.effect.currency ?? ''} /></>}
      </p>
    </ConfirmDialog>
  );
}
