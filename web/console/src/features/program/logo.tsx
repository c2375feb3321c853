import { api, ok } from '@patron/shared/api/client.ts';
import type { ProgramSettingsView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { programQuery } from '../../frame/me.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import styles from './program-page.module.css';

/** The picture that members see. It is taken at once: there is nothing to compare it with in a form. */
export function Logo({ settings, onChange }: { settings: ProgramSettingsView; onChange: (now: ProgramSettingsView) => void }) {
  const { t } = useTranslation('program');
  const client = useQueryClient();
  const field = useRef<HTMLInputElement>(null);
  const [removing, setRemoving] = useState(false);
  const took = (now: ProgramSettingsView) => {
    client.setQueryData(programQuery.queryKey, now);
    onChange(now);
  };
  const put = useWrite(
    ({ file }: { file: File; name: string; size: number; at: number }, key) =>
      ok(api.PUT('/v1/program/logo', { body: file as unknown as string, bodySerializer: (body: unknown) => body as File, headers: { 'Content-Type': file.type }, params: { header: { 'Idempotency-Key': key } } })),
    { onSuccess: took },
  );
  const remove = useWrite((_: undefined, key) => ok(api.DELETE('/v1/program/logo', { params: { header: { 'Idempotency-Key': key } } })), {
    onSuccess: async () => {
      setRemoving(false);
      took(await client.fetchQuery({ ...programQuery, staleTime: 0 }));
    },
  });
  const url = settings.brand.logo_url;
  return (
    <div className={styles.logo}>
      <div className={styles.label}>{t('brand.logo')}</div>
      <ProblemAlert error={put.error} />
      <div className={styles.logoRow}>
        {url ? <img src={url} alt={t('brand.logo')} /> : <span className={styles.noLogo} aria-hidden><Icon name="upload" /></span>}
        <input
          ref={field}
          type="file"
          style={{ display: 'none' }}
          accept="image/png,image/webp"
          aria-label={t('brand.logo')}
          onChange={(e) => {
            const file = e.target.files?.[0];
            e.target.value = ''; // the same file may be chosen again
            if (file) put.mutate({ file, name: file.name, size: file.size, at: file.lastModified });
          }}
        />
        <Button loading={put.isPending} onClick={() => field.current?.click()}>{t(url ? 'brand.another' : 'brand.upload')}</Button>
        {url && <Button danger onClick={() => setRemoving(true)}>{t('brand.remove')}</Button>}
      </div>
      <p className="quiet">{t('brand.logoHelp')}</p>
      <ConfirmDialog open={removing} title={t('brand.removeTitle')} act={t('brand.remove')} cancel={t('brand.keep')} danger pending={remove.isPending} error={remove.error} onOk={() => remove.mutate(undefined)} onCancel={() => setRemoving(false)}>
        <p className="lead">{t('brand.removeText')}</p>
      </ConfirmDialog>
    </div>
  );
}
