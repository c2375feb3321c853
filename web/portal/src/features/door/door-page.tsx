import { api, ok } from '@patron/shared/api/client.ts';
import type { PortalCodeView, PortalProgramView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { chooseLanguage, type Language } from '@patron/shared/i18n/i18n.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Navigate, useLocation, useNavigate, useSearchParams } from 'react-router';
import { meQuery } from '../../frame/me.ts';
import { Button, Choice, Failed, Field, fieldError, Refusal, Skeleton, useCountdown } from '../../frame/parts.tsx';
import { programQuery, storeQuery, useTitle } from '../../frame/program.ts';
import { JoinForm } from './join-form.tsx';

/** Where a code went. */
export type Address = { phone: string } | { email: string };
export interface Proof { challenge: string; code: string }
interface Asked { address: Address; view: PortalCodeView; at: number }

/** Signing in and joining are one way: an address, a code, and for who is new a few words more. */
export function DoorPage({ joining = false }: { joining?: boolean }) {
  const { t } = useTranslation('door');
  const format = useFormat();
  const [search] = useSearchParams();
  const store = (joining && search.get('store')) || '';
  const ofStore = useQuery({ ...storeQuery(store), enabled: store !== '' });
  const plain = useQuery(programQuery);
  const unknownStore = ofStore.error?.code === 'program.no_store';
  const program = store && !unknownStore ? ofStore : plain;
  const me = useQuery(meQuery).data;
  const client = useQueryClient();
  const navigate = useNavigate();
  const state = useLocation().state as { to?: string; closed?: boolean } | null;
  const [asked, setAsked] = useState<Asked>();
  const [proof, setProof] = useState<Proof>(); // was right, and belongs to nobody yet
  const place = program.data?.store;
  const name = program.data ? format.named(program.data) : '';
  const title = proof || joining ? t('join.title', { name }) : t('title', { name });
  useTitle(proof || joining ? t('join.tab') : t('tab'));

  const enter = async () => {
    await client.fetchQuery({ ...meQuery, staleTime: 0 });
    void navigate(state?.to ?? '/', { replace: true });
  };
  if (me && !asked) return <Navigate to={state?.to ?? '/'} replace />;

  return (
    <main className="page door">
      <header className="top">
        <h1>{name}</h1>
        <LanguageSwitch />
      </header>
      {program.isPending ? <Skeleton height={72} rows={3} /> : !program.data ? (
        <section className="blk"><Failed error={program.error} retry={() => void program.refetch()} /></section>
      ) : (
        <>
          <div className="welcome">
            {program.data.brand.logo_url && <img src={program.data.brand.logo_url} alt="" />}
            <h2>{title}</h2>
            <p>{place ? t('join.store', { store: format.named(place) }) : tagline(program.data, format.language)}</p>
            {(joining || proof) && <Earning program={program.data} />}
          </div>
          {unknownStore && <p className="alert info kept">{t('join.noStore')}</p>}
          {state?.closed && <p className="alert good kept" role="status"><Icon name="approve" />{t('closed')}</p>}
          <section className="blk pad" style={{ marginTop: 0 }}>
            {proof && asked ? <JoinForm program={program.data} store={place?.code} address={asked.address} proof={proof} onDone={enter} onCode={() => setProof(undefined)} />
              : asked ? <CodeForm asked={asked} demo={!!program.data.demo} onAsked={setAsked} onBack={() => setAsked(undefined)} onDone={enter} onNew={setProof} />
              : <AddressForm program={program.data} onAsked={setAsked} />}
          </section>
        </>
      )}
    </main>
  );
}

const tagline = (p: PortalProgramView, language: Language) => (language === 'zh-CN' ? p.brand.tagline_zh || p.brand.tagline_en : p.brand.tagline_en || p.brand.tagline_zh);

function Earning({ program }: { program: PortalProgramView }) {
  const { t } = useTranslation('door');
  const format = useFormat();
  const { points, per, money, decimals } = program.joining;
  if (points <= 0) return null;
  return <p>{t('join.earns', { money: format.money(per, money, { trim: true }), points: format.points(points, { decimals }) })}</p>;
}

export function LanguageSwitch() {
  const { i18n } = useTranslation();
  const next: Language = i18n.language === 'zh-CN' ? 'en' : 'zh-CN';
  return <Button look="text" lang={next} onClick={() => void chooseLanguage(next)}><Icon name="globe" />{next === 'en' ? 'English' : '中文'}</Button>;
}

/** Has a code sent to an address. */
async function askCode(address: Address): Promise<Asked> {
  return { address, view: await ok(api.POST('/portal/v1/codes', { body: address })), at: Date.now() };
}

function AddressForm({ program, onAsked }: { program: PortalProgramView; onAsked: (asked: Asked) => void }) {
  const { t } = useTranslation('door');
  const ways = (program.sign_in ?? []) as ('phone' | 'email')[];
  const client = useQueryClient();
  const [chosen, setWay] = useState(ways[0] ?? 'phone');
  const [text, setText] = useState({ phone: '', email: '' });
  const ask = useMutation({
    mutationFn: askCode,
    onSuccess: onAsked,
  });
  useEffect(() => {
    if (ask.error?.code === 'portal.no_channel') void client.invalidateQueries({ queryKey: ['program'] }); // what can be sent has changed since
  }, [ask.error, client]);
  if (ways.length === 0) return <Blank drawing="forbid" title={t('noWay')} text={t('noWayText')} />;
  const way = ways.includes(chosen) ? chosen : ways[0]!;
  const phone = program.demo?.phone;
  return (
    <form className="stack" noValidate onSubmit={(e) => {
      e.preventDefault();
      if (text[way].trim()) ask.mutate((way === 'phone' ? { phone: text.phone.trim() } : { email: text.email.trim() }));
    }}>
      {ways.length > 1 && <Choice label={t('way')} value={way} onChange={(v) => { setWay(v as 'phone' | 'email'); ask.reset(); }} options={ways.map((w) => ({ value: w, label: t(`by.${w}`) }))} />}
      <Refusal error={ask.error} beside={['phone', 'email']} />
      {way === 'phone'
        ? <Field key="phone" label={t('phone')} type="tel" inputMode="tel" autoComplete="tel" name="phone" required value={text.phone} onChange={(e) => setText({ ...text, phone: e.target.value })} error={fieldError(ask.error, 'phone')} help={t('phoneHelp')} />
        : <Field key="email" label={t('email')} type="email" inputMode="email" autoComplete="email" name="email" required value={text.email} onChange={(e) => setText({ ...text, email: e.target.value })} error={fieldError(ask.error, 'email')} help={t(ways.includes('phone') ? 'emailHelp' : 'emailOnly')} />}
      <Button type="submit" look="filled" className="wide" busy={ask.isPending} disabled={!text[way].trim()}>{t('ask')}</Button>
      {program.demo && phone && way === 'phone' && <Button look="text" onClick={() => setText({ ...text, phone })}>{t('demoPhone', { phone })}</Button>}
    </form>
  );
}

interface CodeProps {
  asked: Asked;
  demo: boolean;
  onAsked: (asked: Asked) => void;
  onBack: () => void;
  onDone: () => Promise<void>;
  onNew: (proof: Proof) => void;
}

function CodeForm({ asked, demo, onAsked, onBack, onDone, onNew }: CodeProps) {
  const { t } = useTranslation('door');
  const [code, setCode] = useState('');
  const left = useCountdown(asked.at + asked.view.resend_seconds * 1000);
  const input = useRef<HTMLDivElement>(null);
  const again = useMutation({
    mutationFn: () => askCode(asked.address),
    onSuccess: (next) => { setCode(''); enter.reset(); onAsked(next); },
  });
  const enter = useMutation({
    mutationFn: async (typed: string) => ok(api.POST('/portal/v1/sign-in', { body: { ...asked.address, challenge: asked.view.challenge, code: typed } })),
    onSuccess: onDone,
    onError: (error, typed) => {
      if (error.code === 'portal.not_member') onNew({ challenge: asked.view.challenge, code: typed });
    },
  });
  useEffect(() => input.current?.querySelector('input')?.focus(), [input, asked]);
  const type = (text: string) => {
    const digits = text.replace(/\D/g, '').slice(0, asked.view.digits);
    setCode(digits);
    if (enter.isError) enter.reset();
    if (digits.length === asked.view.digits && digits !== code && !enter.isPending) enter.mutate(digits);
  };
  const to = 'phone' in asked.address ? asked.address.phone : asked.address.email;
  const strange = enter.error?.code === 'portal.not_member';
  return (
    <form className="stack" noValidate onSubmit={(e) => { e.preventDefault(); if (code.length === asked.view.digits && !enter.isPending) enter.mutate(code); }}>
      <p>{t('sent', { to })} <button type="button" className="btn text" style={{ padding: '0 6px' }} onClick={onBack}>{t('change')}</button></p>
      {!strange && <Refusal error={enter.error ?? again.error} beside={['code']} />}
      <div ref={input}>
        <Field className="code" label={t('code', { digits: asked.view.digits })} type="text" inputMode="numeric" autoComplete="one-time-code" name="code" maxLength={20} value={code} onChange={(e) => type(e.target.value)} error={fieldError(enter.error, 'code')} />
      </div>
      <Button type="submit" look="filled" className="wide" busy={enter.isPending} disabled={code.length !== asked.view.digits}>{t('enter')}</Button>
      <Button look="text" disabled={left > 0} busy={again.isPending} onClick={() => again.mutate()}>{left > 0 ? t('againIn', { seconds: left }) : t('again')}</Button>
      {demo && <p className="small" style={{ textAlign: 'center' }}>{t('demo')} <a className="btn text" href="/portal/inbox" target="_blank" rel="noreferrer">{t('inbox.link')}</a></p>}
    </form>
  );
}
