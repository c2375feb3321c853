import { api, ok } from '@patron/shared/api/client.ts';
import type { CouponClaimable } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Ticket } from '@patron/shared/ticket/ticket.tsx';
import { useTicketWords } from '@patron/shared/ticket/words.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { meQuery, useMe } from '../../frame/me.ts';
import { Button, Dialog, Failed, Page, Refusal, Skeleton } from '../../frame/parts.tsx';
import { endOf, useBounds } from './voucher.tsx';

/** What one can claim: for nothing, or for points. */
export default function CentrePage() {
  const { t } = useTranslation('coupon');
  const list = useQuery({ queryKey: ['coupons'], queryFn: () => ok(api.GET('/portal/v1/coupons')) });
  const items = list.data?.items ?? [];
  return (
    <Page title={t('centre.title')} back="/coupons">
      {list.isPending ? <Skeleton height={108} rows={3} />
        : list.isError && items.length === 0 ? <section className="blk"><Failed error={list.error} retry={() => void list.refetch()} /></section>
          : items.length === 0 ? <Blank drawing="coupon" title={t('centre.none')} text={t('centre.noneText')} action={<Link className="btn line" to="/coupons">{t('title')}</Link>} />
            : <div className="tickets">{items.map((c) => <Claimable key={c.coupon_id} coupon={c} />)}</div>}
    </Page>
  );
}

function Claimable({ coupon: c }: { coupon: CouponClaimable }) {
  const { t } = useTranslation('coupon');
  const format = useFormat();
  const words = useTicketWords(c.money_currency);
  const bounds = useBounds();
  const wallet = useMe().wallets?.find((w) => w.currency === c.price?.currency);
  const price = c.price && (wallet?.kind === 'points' ? format.points(c.price.amount, { decimals: wallet.decimals }) : `${format.count(c.price.amount)} ${c.price.currency_name}`);
  const short = c.price && wallet ? Math.max(0, c.price.amount - wallet.available) : 0;
  const [asking, setAsking] = useState(false);
  const claim = useWrite((_: { had: number }, key) => ok(api.POST('/portal/v1/coupons/{id}/claim', { params: { path: { id: c.coupon_id }, header: { 'Idempotency-Key': key } } })), {
    invalidates: [['coupons'], ['vouchers'], meQuery.queryKey, ['history']],
    onSuccess: () => setAsking(false),
  });
  const go = () => claim.mutate({ had: c.mine }); // the next one of the same is another act
  const few = c.stock_left !== undefined && c.stock !== undefined && c.stock_left > 0 && c.stock_left * 5 <= c.stock;
  const lasts = c.valid.days ? t('centre.days', { count: c.valid.days }) : c.valid.hours ? t('centre.hours', { count: c.valid.hours }) : '';
  const foot = [few && t('centre.left', { count: c.stock_left }), lasts || (c.until && t('centre.until', { day: format.deadline(endOf(c.until)) }))].filter(Boolean).join(t('comma'));
  const act = !c.can_claim ? <span className="t2">{c.mine > 0 && c.why === 'coupon.often' ? t('centre.had') : c.why_words}</span>
    : short > 0 ? <span className="t2">{t('centre.short_of', { amount: format.points(short, { decimals: wallet?.decimals ?? 0 }) })}</span>
      : <Button look="filled" className="pill" busy={claim.isPending} aria-label={t('centre.claimOne', { name: c.name })} onClick={() => (c.price ? setAsking(true) : go())}>{c.price ? t('centre.buy', { price }) : c.mine > 0 ? t('centre.again') : t('centre.claim')}</Button>;
  return (
    <div>
      <Ticket stub={words.stub(c)} title={c.name} off={!c.can_claim && c.mine === 0} lines={[...(c.text ? [c.text] : []), ...bounds(c.stores, words.bounds(c))]} foot={foot} act={act} />
      {claim.isSuccess && <p className="alert good under" role="status"><span>{t('centre.done')}</span><Link to="/coupons">{t('centre.see')}</Link></p>}
      {!asking && <Refusal error={claim.error} />}
      {asking && (
        <Dialog title={t('centre.ask', { name: c.name })} onClose={() => setAsking(false)}>
          <div className="stack">
            {wallet && c.price && <dl className="terms"><dt>{t('centre.costs')}</dt><dd className="strong">{price}</dd><dt>{t('centre.balance')}</dt><dd>{format.points(wallet.available, { decimals: wallet.decimals })} → {format.points(wallet.available - c.price.amount, { decimals: wallet.decimals })}</dd></dl>}
            <Refusal error={claim.error} />
            <Button look="filled" className="wide" busy={claim.isPending} onClick={go}>{t('centre.buy', { price })}</Button>
            <Button look="text" onClick={() => setAsking(false)}>{t('gift.not')}</Button>
          </div>
        </Dialog>
      )}
    </div>
  );
}
