import { api, ok } from '@patron/shared/api/client.ts';
import type { PortalConsentView, PortalWord } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useId } from 'react';
import { useTranslation } from 'react-i18next';
import { Failed, Page, Refusal, Skeleton } from '../../frame/parts.tsx';

/** What one agrees to: the text, how it stands and since when, and a switch. */
export default function ConsentsPage() {
  const { t } = useTranslation('mine');
  const client = useQueryClient();
  const query = useQuery({ queryKey: ['consents'], queryFn: () => ok(api.GET('/portal/v1/consents')) });
  const speak = useMutation({ mutationFn: (consents: PortalWord[]) => ok(api.POST('/portal/v1/consents', { body: { consents } })), onSuccess: (next) => client.setQueryData(['consents'], next) });
  return (
    <Page title={t('consents.title')} back="/me">
      <p className="lead">{t('consents.text')}</p>
      {query.isPending ? <Skeleton height={96} rows={4} /> : query.isError ? <section className="blk"><Failed error={query.error} retry={() => void query.refetch()} /></section> : (
        <>
          {speak.error && <div style={{ margin: '0 16px 12px' }}><Refusal error={speak.error} /></div>}
          <section className="blk list">{(query.data.items ?? []).map((c) => <Purpose key={c.purpose} consent={c} busy={speak.isPending} onSpeak={(words) => speak.mutate(words)} />)}</section>
        </>
      )}
    </Page>
  );
}

interface Props {
  consent: PortalConsentView;
  busy: boolean;
  onSpeak: (words: PortalWord[]) => void;
}

function Purpose({ consent: c, busy, onSpeak }: Props) {
  const { t } = useTranslation('mine');
  const format = useFormat();
  const id = useId();
  const current = c.current ?? [];
  const whole = current.find((s) => s.channel === 'any');
  const single = current.filter((s) => s.channel !== 'any');
  const text = format.language === 'zh-CN' ? c.text_zh || c.text_en : c.text_en || c.text_zh;
  const word = (channel: string, granted: boolean) => ({ purpose: c.purpose, channel: channel as PortalWord['channel'], granted, ...(c.text_version && { text_version: c.text_version }) });
  const on = whole?.granted ?? (single.length > 0 && single.every((s) => s.granted));
  return (
    <div className="row line">
      <span id={id} className="strong">{format.named(c)}</span>
      {/* The switch of the purpose goes for every way that is named beside it too. */}
      <input type="checkbox" role="switch" className="switch" aria-labelledby={id} checked={on} aria-disabled={busy} onChange={() => { if (!busy) onSpeak([word('any', !on), ...single.map((s) => word(s.channel, !on))]); }} />
      {text && <span className="small wide">{text}</span>}
      <span className="small wide">{whole ? t(whole.granted ? 'consents.given' : 'consents.taken', { day: format.day(whole.since) }) : t('consents.never')}</span>
      {single.filter((s) => s.granted !== on || !whole).map((s) => <Way key={s.channel} channel={s.channel} granted={s.granted} busy={busy} purpose={format.named(c)} onChange={(granted) => onSpeak([word(s.channel, granted)])} />)}
    </div>
  );
}

function Way({ channel, granted, busy, purpose, onChange }: { channel: string; granted: boolean; busy: boolean; purpose: string; onChange: (granted: boolean) => void }) {
  const { t } = useTranslation('mine');
  const label = t(`consents.by.${channel}`);
  return (
    <>
      <span className="t2">{label}</span>
      <input type="checkbox" role="switch" className="switch" aria-label={`${purpose}, ${label}`} checked={granted} aria-disabled={busy} onChange={() => { if (!busy) onChange(!granted); }} />
    </>
  );
}
