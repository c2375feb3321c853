import { api, ok } from '@patron/shared/api/client.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Ticket } from '@patron/shared/ticket/ticket.tsx';
import { useTicketWords } from '@patron/shared/ticket/words.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { Button, Failed, Page, Refusal, Skeleton } from '../../frame/parts.tsx';
import { endOf, useBounds } from './voucher.tsx';

/** Where the link of a gift leads: what it is, and accepting it. */
export default function GiftPage() {
  const { t } = useTranslation('coupon');
  const format = useFormat();
  const { token = '' } = useParams();
  const gift = useQuery({ queryKey: ['gift', token], retry: false, queryFn: () => ok(api.GET('/portal/v1/voucher-gifts/{token}', { params: { path: { token } } })) });
  const accept = useWrite((_: string, key) => ok(api.POST('/portal/v1/voucher-gifts/{token}/accept', { params: { path: { token }, header: { 'Idempotency-Key': key } } })), { invalidates: [['vouchers']] });
  const words = useTicketWords(gift.data?.money_currency ?? 'CNY');
  const bounds = useBounds();
  const g = gift.data;
  const mine = <Link className="btn line" to="/coupons">{t('title')}</Link>;
  if (accept.data) {
    return (
      <Page title={t('gift.title')} back="/">
        <section className="blk done" role="status"><Icon name="approve" size={36} /><h2>{t('gift.done', { name: accept.data.name })}</h2>{mine}</section>
      </Page>
    );
  }
  return (
    <Page title={t('gift.title')} back="/">
      {gift.isPending ? <Skeleton height={108} />
        : gift.error?.status === 404 ? <Blank drawing="coupon" title={t('gift.gone')} text={gift.error.message} action={mine} />
          : !g ? <section className="blk"><Failed error={gift.error} retry={() => void gift.refetch()} /></section>
            : (
              <>
                <p className="lead">{t(g.own ? 'gift.own' : 'gift.for')}</p>
                <div className="tickets"><Ticket stub={words.stub(g)} title={g.name} lines={[...(g.text ? [g.text] : []), ...bounds(g.stores, words.bounds(g))]} foot={g.valid_until ? t('until', { day: format.deadline(endOf(g.valid_until)) }) : t('noEnd')} /></div>
                <div className="inset stack tight" style={{ marginTop: 16 }}>
                  <Refusal error={accept.error} />
                  {g.own ? mine : <Button look="filled" className="wide" busy={accept.isPending} onClick={() => accept.mutate(token)}>{t('gift.accept')}</Button>}
                  {g.accept_until && <p className="small">{t('gift.acceptUntil', { day: format.deadline(g.accept_until) })}</p>}
                </div>
              </>
            )}
    </Page>
  );
}
