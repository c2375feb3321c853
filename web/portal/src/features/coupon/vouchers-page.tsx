import { api, ok } from '@patron/shared/api/client.ts';
import type { CouponOwnVoucher } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { Button, Choice, Dialog, Failed, Field, fieldError, More, Page, Refusal, Skeleton } from '../../frame/parts.tsx';
import { ShowVoucher } from './show.tsx';
import { VoucherTicket } from './voucher.tsx';

const views = ['usable', 'used', 'expired'] as const;

/** One's vouchers: those that can be used, the soonest to end first; those that were; those that are over. */
export default function VouchersPage() {
  const { t } = useTranslation('coupon');
  const [search, setSearch] = useSearchParams();
  const view = views.find((v) => v === search.get('view')) ?? 'usable';
  const [shown, setShown] = useState<string>();
  const [adding, setAdding] = useState(false);
  const list = useInfiniteQuery({
    queryKey: ['vouchers', view],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => ok(api.GET('/portal/v1/vouchers', { params: { query: { view, cursor: pageParam, limit: 20 } } })),
    getNextPageParam: (page) => page.next_cursor,
  });
  const items = list.data?.pages.flatMap((p) => p.items ?? []) ?? [];
  const open = items.find((v) => v.code === shown);
  return (
    <Page title={t('title')}>
      <div className="inset"><Choice label={t('view.title')} value={view} onChange={(v) => setSearch(v === 'usable' ? {} : { view: v }, { replace: true })} options={views.map((value) => ({ value, label: t(`view.${value}`) }))} /></div>
      <div className="between tools">
        <span className="small">{view === 'usable' && items.length > 1 ? t('order') : ''}</span>
        <Button look="text" onClick={() => setAdding(true)}><Icon name="plus" size={16} />{t('add.open')}</Button>
      </div>
      {view === 'usable' && (
        <section className="blk list centre">
          <Link className="row link" to="/coupons/claim"><Icon name="coupon" /><span>{t('centre.title')}</span><span className="small">{t('centre.short')}</span><Icon name="right" size={16} /></Link>
        </section>
      )}
      {list.isPending ? <Skeleton height={108} rows={3} />
        : list.isError && items.length === 0 ? <section className="blk"><Failed error={list.error} retry={() => void list.refetch()} /></section>
          : items.length === 0 ? <Blank drawing="coupon" title={t(`none.${view}`)} text={t(view === 'usable' ? 'noneText' : 'noneOther')} />
            : <div className="tickets">{items.map((v) => <VoucherTicket key={v.code} voucher={v} act={<Act voucher={v} onShow={() => setShown(v.code)} />} />)}</div>}
      <More query={list} />
      {items.length > 0 && !list.hasNextPage && view === 'usable' && <p className="small end">{t('end')}</p>}
      {open && <ShowVoucher voucher={open} onClose={() => setShown(undefined)} />}
      {adding && <Add onClose={() => setAdding(false)} />}
    </Page>
  );
}

function Act({ voucher: v, onShow }: { voucher: CouponOwnVoucher; onShow: () => void }) {
  const { t } = useTranslation('coupon');
  return <Button look={v.state === 'gifting' ? 'line' : 'filled'} className="pill" onClick={onShow} aria-label={t('useOne', { name: v.name })}>{t(v.state === 'gifting' ? 'gifting' : 'use')}</Button>;
}

/** A voucher that one has on paper. */
function Add({ onClose }: { onClose: () => void }) {
  const { t } = useTranslation('coupon');
  const [code, setCode] = useState('');
  const add = useWrite((body: { code: string }, key) => ok(api.POST('/portal/v1/vouchers', { body, params: { header: { 'Idempotency-Key': key } } })), { invalidates: [['vouchers']], onSuccess: onClose });
  return (
    <Dialog title={t('add.title')} onClose={onClose}>
      <form className="stack" noValidate onSubmit={(e) => { e.preventDefault(); if (code.trim()) add.mutate({ code: code.trim() }); }}>
        <Refusal error={add.error} beside={['code']} />
        <Field label={t('add.code')} value={code} onChange={(e) => setCode(e.target.value)} maxLength={60} autoComplete="off" autoCapitalize="characters" error={fieldError(add.error, 'code')} help={t('add.help')} />
        <Button type="submit" look="filled" className="wide" busy={add.isPending} disabled={!code.trim()}>{t('add.act')}</Button>
      </form>
    </Dialog>
  );
}

