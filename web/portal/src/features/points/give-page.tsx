import { api, ok } from '@patron/shared/api/client.ts';
import type { PortalGift, PortalPreviewTransferPreviewOutBody } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useMutation } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { useAmount } from '../../frame/amount.tsx';
import { meQuery, useMe } from '../../frame/me.ts';
import { Button, Choice, Field, fieldError, Page, Refusal } from '../../frame/parts.tsx';

type Way = 'phone' | 'email' | 'no';

/** `12.5` in the smallest unit of a currency of so many decimals; nothing where it is no amount. */
export function units(text: string, decimals: number): number | undefined {
  const m = /^(\d+)(?:[.](\d+))?$/.exec(text.trim().replace(/[,，\s]/g, ''));
  if (!m || (m[2]?.length ?? 0) > decimals) return undefined;
  const n = Number(m[1]! + (m[2] ?? '').padEnd(decimals, '0'));
  return Number.isSafeInteger(n) && n > 0 ? n : undefined;
}

/** A gift to a friend: whom and how much, a look at what leaves, and only then the gift. */
export default function GivePage() {
  const { t } = useTranslation('points');
  const format = useFormat();
  const amountOf = useAmount();
  const [search] = useSearchParams();
  const gifts = (useMe().wallets ?? []).filter((w) => w.transfer);
  const wallet = gifts.find((w) => w.currency === search.get('currency')) ?? gifts[0];
  const [way, setWay] = useState<Way>('phone');
  const [to, setTo] = useState('');
  const [amount, setAmount] = useState('');
  const [reason, setReason] = useState('');
  const [preview, setPreview] = useState<PortalPreviewTransferPreviewOutBody>();
  const look = useMutation({ mutationFn: (body: PortalGift) => ok(api.POST('/portal/v1/transfers/preview', { body })), onSuccess: setPreview });
  const give = useWrite((body: PortalGift, key: string) => ok(api.POST('/portal/v1/transfers', { body, params: { header: { 'Idempotency-Key': key } } })), { invalidates: [meQuery.queryKey, ['history']] });
  if (!wallet?.transfer) return <Page title={t('give.title')} back="/points"><Blank drawing="forbid" title={t('give.cannot')} text={t('give.cannotText')} /></Page>;

  const said = (n: number) => amountOf(n, wallet);
  const wanted = units(amount, wallet.decimals);
  const bounds = [t('give.has', { amount: said(wallet.available) }), t('give.min', { amount: said(wallet.transfer.min) }), wallet.transfer.max && t('give.max', { amount: said(wallet.transfer.max) }), wallet.transfer.fee_percent && t('give.fee', { percent: wallet.transfer.fee_percent })].filter(Boolean).join(t('give.comma'));
  const friend = preview && (preview.to_name || t('give.number', { number: preview.to_number }));
  const word = reason.trim() ? { reason: reason.trim() } : {};

  if (give.data && preview) {
    return (
      <Page title={t('give.title')} back="/points">
        <section className="blk done" role="status">
          <Icon name="approve" size={36} />
          <h2>{t('give.done', { amount: said(preview.amount), friend })}</h2>
          <p className="t2">{t('give.left', { amount: said(give.data.balances[wallet.currency] ?? preview.available_after) })}</p>
          <Link className="btn line" to="/points" style={{ marginTop: 8 }}>{t('give.back')}</Link>
        </section>
      </Page>
    );
  }
  if (preview) {
    return (
      <Page title={t('give.check')} back="/points">
        <section className="blk pad stack">
          <dl className="terms">
            <dt>{t('give.to')}</dt><dd className="strong">{preview.to_name ?? ''} <span className="nowrap t2">{t('give.number', { number: preview.to_number })}</span></dd>
            <dt>{t('give.gets')}</dt><dd className="strong">{said(preview.amount)}</dd>
            {preview.fee > 0 && <><dt>{t('give.feeOnTop')}</dt><dd>{said(preview.fee)}</dd></>}
            <dt>{t('give.balance')}</dt><dd>{said(preview.available_after + preview.leaves)} → {said(preview.available_after)}</dd>
            {reason.trim() && <><dt>{t('give.word')}</dt><dd>{reason.trim()}</dd></>}
          </dl>
          <p className="small">{t('give.final')}</p>
          <Refusal error={give.error} />
          <Button look="filled" className="wide" busy={give.isPending} onClick={() => give.mutate({ to: preview.to, currency: wallet.currency, amount: preview.amount, ...word })}>{t('give.submit', { amount: said(preview.amount) })}</Button>
          <Button look="text" disabled={give.isPending} onClick={() => setPreview(undefined)}>{t('give.not')}</Button>
        </section>
      </Page>
    );
  }
  return (
    <Page title={t('give.title')} back="/points">
      <section className="blk pad">
        <form className="stack" noValidate onSubmit={(e) => { e.preventDefault(); if (to.trim() && wanted) look.mutate({ to: `${way}:${to.trim()}`, currency: wallet.currency, amount: wanted, ...word }); }}>
          <Choice label={t('give.who')} value={way} onChange={(w) => { setWay(w as Way); look.reset(); }} options={(['phone', 'email', 'no'] as const).map((w) => ({ value: w, label: t(`give.by.${w}`) }))} />
          <Refusal error={look.error} beside={['to', 'amount', 'reason']} />
          <Field label={t(`give.by.${way}`)} name="to" type={way === 'email' ? 'email' : way === 'phone' ? 'tel' : 'text'} autoComplete="off" autoCapitalize="off" value={to} onChange={(e) => setTo(e.target.value)} error={fieldError(look.error, 'to')} help={t('give.toHelp')} />
          <Field label={wallet.kind === 'stored' ? format.named(wallet) : t('give.amount', { currency: format.named(wallet) })} name="amount" inputMode={wallet.decimals ? 'decimal' : 'numeric'} autoComplete="off" value={amount} onChange={(e) => setAmount(e.target.value)} error={fieldError(look.error, 'amount') ?? (amount && !wanted ? t('give.noAmount') : undefined)} help={bounds} />
          <Field label={t('give.word')} name="reason" maxLength={100} autoComplete="off" value={reason} onChange={(e) => setReason(e.target.value)} error={fieldError(look.error, 'reason')} help={t('give.wordHelp')} />
          <Button type="submit" look="filled" className="wide" busy={look.isPending} disabled={!to.trim() || !wanted}>{t('give.next')}</Button>
        </form>
      </section>
    </Page>
  );
}
