import { api, ok } from '@patron/shared/api/client.ts';
import type { RewardView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useRef } from 'react';
import { useTranslation } from 'react-i18next';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import styles from './reward.module.css';

/** The pictures of a reward: the first is in front. */
export function Pictures({ reward, may }: { reward: RewardView; may: boolean }) {
  const { t } = useTranslation('reward');
  const { named } = useFormat();
  const client = useQueryClient();
  const file = useRef<HTMLInputElement>(null);
  const pictures = reward.pictures ?? [];
  const add = useMutation({
    mutationFn: (body: File) => ok(api.POST('/v1/rewards/{id}/pictures', { params: { path: { id: reward.id } }, body: body as unknown as string, bodySerializer: (b: unknown) => b as BodyInit, headers: { 'Content-Type': body.type } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['rewards'] }),
  });
  const arrange = useWrite((ids: string[], key) => ok(api.PUT('/v1/rewards/{id}/pictures', { body: { pictures: ids }, params: { path: { id: reward.id }, header: { 'Idempotency-Key': key } } })), { invalidates: [['rewards']] });
  const ids = pictures.map((p) => p.id);
  return (
    <>
      {pictures.length === 0 && <p className="quiet">{t('pictures.none')}</p>}
      <ul className={styles.pictures}>
        {pictures.map((p, i) => (
          <li key={p.id}>
            <img src={p.thumb_url} alt={t('pictures.alt', { name: named(reward), n: i + 1 })} />
            {may && (
              <span>
                {i > 0 && <Button type="text" size="small" icon={<Icon name="star" size={16} />} onClick={() => arrange.mutate([p.id, ...ids.filter((x) => x !== p.id)])}>{t('pictures.first')}</Button>}
                <Button type="text" size="small" icon={<Icon name="close" size={16} />} aria-label={t('pictures.remove', { n: i + 1 })} onClick={() => arrange.mutate(ids.filter((x) => x !== p.id))} />
              </span>
            )}
          </li>
        ))}
      </ul>
      <ProblemAlert error={add.error ?? arrange.error} />
      {may && pictures.length < 6 && (
        <>
          <input ref={file} type="file" accept="image/jpeg,image/png,image/webp" hidden aria-label={t('pictures.add')} onChange={(e) => { const f = e.target.files?.[0]; e.target.value = ''; if (f) add.mutate(f); }} />
          <Button icon={<Icon name="upload" size={16} />} loading={add.isPending} onClick={() => file.current?.click()}>{t('pictures.add')}</Button>
          <p className="quiet">{t('pictures.help')}</p>
        </>
      )}
    </>
  );
}
