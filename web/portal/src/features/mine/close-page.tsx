import { api, ok } from '@patron/shared/api/client.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { useAmount } from '../../frame/amount.tsx';
import { forget, useMe } from '../../frame/me.ts';
import { Button, Choice, Failed, Field, fieldError, Page, Refusal, Skeleton, useCountdown } from '../../frame/parts.tsx';
import { useProgram } from '../../frame/program.ts';

type Way = 'phone' | 'email';

/** Closing the account: what is lost, a code, and the words typed. There is no way back. */
export default function ClosePage() {
  const { t } = useTranslation('mine');
  const { named } = useFormat();
  const amount = useAmount();
  const client = useQueryClient();
  const navigate = useNavigate();
  const demo = useProgram()?.demo;
  const ways = useProgram()?.sign_in ?? [];
  const wallets = useMe().wallets ?? [];
  const lost = wallets.filter((w) => w.available + w.pending + w.held !== 0);
  const stored = wallets.filter((w) => w.kind === 'stored' && w.available + w.held > 0);
  const profile = useQuery({ queryKey: ['profile'], queryFn: () => ok(api.GET('/portal/v1/profile')) });
  const [chosen, setWay] = useState<Way>();
  const [forfeit, setForfeit] = useState(false);
  const [code, setCode] = useState('');
  const [words, setWords] = useState('');
  const mine = (['phone', 'email'] as const).filter((w) => ways.includes(w) && profile.data?.[w]);
  const way = chosen ?? mine[0];
  const ask = useMutation({ mutationFn: async (by: Way) => ({ ...(await ok(api.POST('/portal/v1/close/code', { body: { by } }))), by, at: Date.now() }) });
  const left = useCountdown(ask.data ? ask.data.at + ask.data.resend_seconds * 1000 : 0);
  const close = useMutation({
    mutationFn: () => ok(api.POST('/portal/v1/close', { body: { by: ask.data!.by, challenge: ask.data!.challenge, code, ...(stored.length > 0 && { forfeit }) } })),
    onSuccess: async () => {
      await forget(client);
      void navigate('/sign-in', { replace: true, state: { closed: true } });
    },
  });
  const sentence = t('close.sentence');
  const typed = words.trim().toLowerCase() === sentence.toLowerCase();
  return (
    <Page title={t('close.title')} back="/me">
      <section className="blk stack" style={{ marginTop: 0 }}>
        <p className="strong">{t('close.lost')}</p>
        {lost.length > 0 && <dl className="terms">{lost.map((w) => <div key={w.currency} style={{ display: 'contents' }}><dt>{named(w)}</dt><dd className="strong">{amount(w.available + w.pending + w.held, w)}</dd></div>)}</dl>}
        <p className="t2">{t('close.text')}</p>
        {stored.length > 0 && (
          <label className="tick">
            <input type="checkbox" checked={forfeit} onChange={(e) => setForfeit(e.target.checked)} />
            <span>{t('close.forfeit', { amount: stored.map((w) => amount(w.available + w.held, w)).join(' + ') })}</span>
          </label>
        )}
      </section>
      {profile.isPending ? <Skeleton height={72} rows={2} /> : profile.isError ? <section className="blk"><Failed error={profile.error} retry={() => void profile.refetch()} /></section> : (
        <section className="blk pad">
          {!ask.data ? (
            <div className="stack">
              {mine.length > 1 && <Choice label={t('close.way')} value={way!} onChange={(w) => setWay(w as Way)} options={mine.map((w) => ({ value: w, label: t(`profile.${w}`) }))} />}
              <Refusal error={ask.error} />
              <p className="t2">{way ? t('close.codeFirst') : t('close.noWay')}</p>
              {way && <Button look="danger" className="wide" busy={ask.isPending} disabled={stored.length > 0 && !forfeit} onClick={() => ask.mutate(way)}>{t('close.ask')}</Button>}
            </div>
          ) : (
            <form className="stack" noValidate onSubmit={(e) => { e.preventDefault(); if (typed && code.length === ask.data.digits) close.mutate(); }}>
              <p>{t('close.sent', { to: ask.data.to })}</p>
              <Refusal error={close.error} beside={['code']} />
              <Field className="code" label={t('close.code', { digits: ask.data.digits })} name="code" inputMode="numeric" autoComplete="one-time-code" maxLength={20} value={code} onChange={(e) => { setCode(e.target.value.replace(/\D/g, '').slice(0, ask.data.digits)); if (close.isError) close.reset(); }} error={fieldError(close.error, 'code')} />
              <Button look="text" disabled={left > 0} busy={ask.isPending} onClick={() => ask.mutate(ask.data.by)}>{left > 0 ? t('close.againIn', { seconds: left }) : t('close.again')}</Button>
              {demo && <p className="small" style={{ textAlign: 'center' }}><a className="btn text" href="/portal/inbox" target="_blank" rel="noreferrer">{t('close.inbox')}</a></p>}
              <Field label={t('close.type', { sentence })} name="sentence" autoComplete="off" autoCapitalize="off" value={words} onChange={(e) => setWords(e.target.value)} />
              <Button type="submit" look="danger-filled" className="wide" busy={close.isPending} disabled={!typed || code.length !== ask.data.digits || (stored.length > 0 && !forfeit)}>{t('close.submit')}</Button>
            </form>
          )}
        </section>
      )}
    </Page>
  );
}
