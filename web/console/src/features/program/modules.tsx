import { api, ok } from '@patron/shared/api/client.ts';
import type { ProgramSettingsView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useQueryClient } from '@tanstack/react-query';
import { Switch } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Module } from '../../frame/feature.ts';
import { programQuery } from '../../frame/me.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { Section } from '../../ui/section.tsx';
import styles from './program-page.module.css';

const modules: Module[] = ['portal', 'till', 'stored_value', 'transfers', 'tasks'];

/** Which parts are in use. A switch takes effect at once, in everybody's menu; what a part has is kept. */
export function Modules({ settings, onChange }: { settings: ProgramSettingsView; onChange: (now: ProgramSettingsView) => void }) {
  const { t } = useTranslation('program');
  const client = useQueryClient();
  const [off, setOff] = useState<Module>(); // about to be switched off
  const turn = useWrite(
    ({ module, on }: { module: Module; on: boolean }, key) =>
      ok(api.PATCH('/v1/program', { body: { modules: { ...settings.modules, [module]: on }, version: settings.version }, params: { header: { 'Idempotency-Key': key } } })),
    {
      onSuccess: (now) => {
        client.setQueryData(programQuery.queryKey, now);
        onChange(now);
        setOff(undefined);
      },
    },
  );
  const name = (module: Module) => t(`frame:modules.${module}`);
  return (
    <Section title={t('modules.title')} note={t('modules.note')}>
      <ProblemAlert error={off ? null : turn.error} />
      <ul className={styles.modules}>
        {modules.map((module) => (
          <li key={module}>
            <div>
              <b>{name(module)}</b>
              <div className="quiet">{t(`modules.${module}`)}</div>
            </div>
            <Switch
              aria-label={name(module)}
              checked={settings.modules[module]}
              loading={turn.isPending && turn.variables.module === module}
              onChange={(on) => (on ? turn.mutate({ module, on }) : setOff(module))}
            />
          </li>
        ))}
      </ul>
      <ConfirmDialog
        open={off !== undefined}
        title={off ? t('modules.offTitle', { module: name(off) }) : ''}
        act={t('modules.offAct')}
        cancel={t('modules.keep')}
        pending={turn.isPending}
        error={turn.error}
        onOk={() => off && turn.mutate({ module: off, on: false })}
        onCancel={() => {
          setOff(undefined);
          turn.reset();
        }}
      >
        {off && <p className="lead">{t(`modules.off.${off}`)}</p>}
      </ConfirmDialog>
    </Section>
  );
}
