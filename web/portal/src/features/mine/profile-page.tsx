import { api, ok } from '@patron/shared/api/client.ts';
import type { PortalProfileView } from '@patron/shared/api/schema.d.ts';
import { languages } from '@patron/shared/i18n/i18n.ts';
import { maskPhone } from '@patron/shared/format/format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { meQuery } from '../../frame/me.ts';
import { Button, Failed, Field, fieldError, Page, Refusal, Select, Skeleton } from '../../frame/parts.tsx';

export default function ProfilePage() {
  const { t } = useTranslation('mine');
  const query = useQuery({ queryKey: ['profile'], queryFn: () => ok(api.GET('/portal/v1/profile')) });
  return (
    <Page title={t('profile.title')} back="/me">
      {query.isPending ? <Skeleton height={76} rows={5} /> : query.isError ? <section className="blk"><Failed error={query.error} retry={() => void query.refetch()} /></section> : <Form profile={query.data} />}
    </Page>
  );
}

type Values = Record<'name' | 'birthday' | 'city' | 'language', string>;

function Form({ profile }: { profile: PortalProfileView }) {
  const { t } = useTranslation('mine');
  const client = useQueryClient();
  const start: Values = { name: profile.name ?? '', birthday: profile.birthday ?? '', city: profile.city ?? '', language: profile.language ?? '' };
  const [values, setValues] = useState(start);
  const changed = Object.fromEntries(Object.entries(values).filter(([k, v]) => v.trim() !== start[k as keyof Values] && (k !== 'birthday' || v))) as Partial<Values>;
  const save = useMutation({
    mutationFn: () => ok(api.PATCH('/portal/v1/profile', { body: changed })),
    onSuccess: (next) => {
      client.setQueryData(['profile'], next);
      void client.invalidateQueries({ queryKey: meQuery.queryKey });
    },
  });
  const set = (name: keyof Values) => (text: string) => { setValues({ ...values, [name]: text }); if (!save.isPending) save.reset(); };
  const tags = [...new Set([...(start.language ? [start.language] : ['']), ...Object.keys(languages)])];
  return (
    <section className="blk pad" style={{ marginTop: 0 }}>
      <form className="stack" noValidate onSubmit={(e) => { e.preventDefault(); if (Object.keys(changed).length) save.mutate(); }}>
        <Refusal error={save.error} beside={['name', 'birthday', 'city', 'language']} />
        <Field label={t('profile.name')} autoComplete="name" name="name" maxLength={100} value={values.name} onChange={(e) => set('name')(e.target.value)} error={fieldError(save.error, 'name')} />
        {profile.birthday_fixed
          ? <Field label={t('profile.birthday')} value={profile.birthday ?? ''} disabled help={t('profile.birthdayFixed')} />
          : <Field label={t('profile.birthday')} type="date" autoComplete="bday" name="birthday" max={new Date().toISOString().slice(0, 10)} value={values.birthday} onChange={(e) => set('birthday')(e.target.value)} error={fieldError(save.error, 'birthday')} help={t('profile.birthdayOnce')} />}
        <Field label={t('profile.city')} autoComplete="address-level2" name="city" maxLength={60} value={values.city} onChange={(e) => set('city')(e.target.value)} error={fieldError(save.error, 'city')} />
        <Select label={t('profile.language')} value={values.language} onChange={set('language')} options={tags.map((tag) => ({ value: tag, label: tag === '' ? t('profile.noLanguage') : (languages[tag as keyof typeof languages] ?? tag) }))} />
        <dl className="terms">
          {profile.phone && <><dt>{t('profile.phone')}</dt><dd>{maskPhone(profile.phone)}</dd></>}
          {profile.email && <><dt>{t('profile.email')}</dt><dd>{profile.email}</dd></>}
        </dl>
        <p className="small">{t('profile.fixed')}</p>
        {save.isSuccess && <p className="alert good" role="status"><Icon name="approve" />{t('profile.saved')}</p>}
        <Button type="submit" look="filled" className="wide" busy={save.isPending} disabled={Object.keys(changed).length === 0}>{t('profile.save')}</Button>
      </form>
    </section>
  );
}
