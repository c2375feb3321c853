import { api, ok } from '@patron/shared/api/client.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { chooseLanguage, languages, type Language } from '@patron/shared/i18n/i18n.ts';
import { chooseTheme, useThemeChoice, type ThemeChoice } from '@patron/shared/theme/choice.ts';
import { Icon, type IconName } from '@patron/shared/ui/icon.tsx';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { forget, useMe } from '../../frame/me.ts';
import { Button, Choice, Dialog, Page, Refusal } from '../../frame/parts.tsx';

/** Everything about oneself, and the way out. */
export default function MinePage() {
  const { t, i18n } = useTranslation('mine');
  const format = useFormat();
  const me = useMe();
  const client = useQueryClient();
  const theme = useThemeChoice();
  const plan = useQuery({ queryKey: ['plan'], queryFn: () => ok(api.GET('/portal/v1/plan')) }).data;
  const plans = useQuery({ queryKey: ['plan', 'offers'], queryFn: () => ok(api.GET('/portal/v1/plans')) }).data?.items ?? [];
  const hasPlan = plans.length > 0 || !!plan?.standing;
  const [downloading, setDownloading] = useState(false);
  const out = useMutation({ mutationFn: () => ok(api.POST('/portal/v1/sign-out')), onSuccess: () => forget(client) });
  const entry = (to: string, icon: IconName, label: string) => <Link className="row link" to={to}><Icon name={icon} /><span>{label}</span><span /><Icon name="right" size={16} /></Link>;
  return (
    <Page title={t('title')}>
      <section className="blk" style={{ marginTop: 0 }}>
        <p className="strong" style={{ fontSize: 18, lineHeight: '26px' }}>{me.name || t('noName')}</p>
        <p className="small">{t('number', { number: me.number })} · {t('since', { day: format.day(me.joined_at) })}</p>
      </section>
      <section className="blk list">
        {hasPlan && entry('/plan', 'star', t('plan'))}
        {entry('/tier', 'tier', t('tier'))}
        {entry('/offers', 'gift', t('offers'))}
        {entry('/draws', 'diamond', t('draws'))}
        {entry('/me/profile', 'member', t('profile.title'))}
        {entry('/me/consents', 'shield', t('consents.title'))}
        {entry('/me/sessions', 'phone', t('sessions.title'))}
      </section>
      <section className="blk stack">
        <div className="stack tight"><p>{t('language')}</p><Choice label={t('language')} value={i18n.language} onChange={(l) => void chooseLanguage(l as Language)} options={Object.entries(languages).map(([value, label]) => ({ value, label }))} /></div>
        <div className="stack tight"><p>{t('theme.title')}</p><Choice label={t('theme.title')} value={theme} onChange={(c) => chooseTheme(c as ThemeChoice)} options={(['system', 'light', 'dark'] as const).map((value) => ({ value, label: t(`theme.${value}`) }))} /></div>
      </section>
      <section className="blk list">
        <button type="button" className="row link" onClick={() => setDownloading(true)}><Icon name="export" /><span>{t('data.title')}</span><span /><Icon name="right" size={16} /></button>
        {entry('/me/close', 'close', t('close.title'))}
      </section>
      <div style={{ margin: '16px 16px 0' }} className="stack">
        <Refusal error={out.error} />
        <Button className="wide" busy={out.isPending} onClick={() => out.mutate()}><Icon name="signOut" />{t('signOut')}</Button>
      </div>
      {downloading && <Download onClose={() => setDownloading(false)} />}
    </Page>
  );
}

function Download({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('mine');
  const fetching = useMutation({
    mutationFn: async (format: 'json' | 'csv') => {
      const { data, response } = await api.GET('/portal/v1/export', { params: { query: { format } }, parseAs: 'blob' });
      const name = /filename="?([^";]+)/.exec(response.headers.get('Content-Disposition') ?? '')?.[1] ?? (format === 'json' ? 'my-data.json' : 'my-data.zip');
      const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(data as unknown as Blob), download: name });
      link.click();
      setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
    },
  });
  return (
    <Dialog title={t('data.title')} onClose={onClose}>
      <div className="stack">
        <p className="t2">{t('data.text')}</p>
        <Refusal error={fetching.error} />
        {fetching.isSuccess && <p className="alert good" role="status"><Icon name="approve" />{t('data.done')}</p>}
        <Button look="filled" className="wide" busy={fetching.isPending} onClick={() => fetching.mutate('csv')}>{t('data.csv')}</Button>
        <Button className="wide" busy={fetching.isPending} onClick={() => fetching.mutate('json')}>{t('data.json')}</Button>
      </div>
    </Dialog>
  );
}
