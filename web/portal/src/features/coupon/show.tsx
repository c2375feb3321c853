import { api, ok } from '@patron/shared/api/client.ts';
import type { CouponOwnVoucher } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useTicketWords } from '@patron/shared/ticket/words.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Button, Dialog, Failed, Refusal } from '../../frame/parts.tsx';
import { endOf, useBounds } from './voucher.tsx';

/** The code of a voucher for the till to scan, its terms, and giving it away. */
export function ShowVoucher({ voucher: v, onClose }: { voucher: CouponOwnVoucher; onClose: () => void }) {
  const { t } = useTranslation('coupon');
  const format = useFormat();
  const words = useTicketWords(v.money_currency);
  const bounds = useBounds();
  const [asking, setAsking] = useState(false);
  const params = (key: string) => ({ path: { code: v.code }, header: { 'Idempotency-Key': key } });
  const give = useWrite((_: string, key) => ok(api.POST('/portal/v1/vouchers/{code}/gift', { params: params(key) })), { invalidates: [['vouchers']], onSuccess: () => setAsking(false) });
  const keep = useWrite((_: string, key) => ok(api.DELETE('/portal/v1/vouchers/{code}/gift', { params: params(key) })), { invalidates: [['vouchers']], onSuccess: () => give.reset() });
  const gifting = v.state === 'gifting';
  const link = give.data && `${location.origin}/portal${give.data.path}`;
  return (
    <Dialog title={v.name} onClose={onClose}>
      <div className="stack">
        {gifting ? (
          <>
            <p className="t2">{t('gift.waits', { day: v.gift_until ? format.when(v.gift_until) : '' })}</p>
            {link ? <Share link={link} name={v.name} /> : <p className="small">{t('gift.once')}</p>}
            <Refusal error={keep.error ?? give.error} />
            {!link && <Button className="wide" busy={give.isPending} onClick={() => give.mutate(`${v.code} again`)}>{t('gift.anew')}</Button>}
            <Button look="text" busy={keep.isPending} onClick={() => keep.mutate(v.code)}>{t('gift.takeBack')}</Button>
          </>
        ) : asking ? (
          <>
            <p>{t('gift.what')}</p>
            <Refusal error={give.error} />
            <Button look="filled" className="wide" busy={give.isPending} onClick={() => give.mutate(v.code)}>{t('gift.act')}</Button>
            <Button look="text" onClick={() => setAsking(false)}>{t('gift.not')}</Button>
          </>
        ) : (
          <>
            <Picture code={v.code} />
            <p className="vouchercode">{v.shown}</p>
            <p className="small" style={{ textAlign: 'center' }}>{t('show')}</p>
            <dl className="terms">
              <dt>{t('worth')}</dt><dd>{words.say(v)}</dd>
              {bounds(v.stores, words.bounds(v)).map((line) => <div key={line} className="contents"><dt>{t('limits')}</dt><dd>{line}</dd></div>)}
              {v.valid_until && <><dt>{t('untilTitle')}</dt><dd>{format.deadline(endOf(v.valid_until))}</dd></>}
              {v.text && <><dt>{t('text')}</dt><dd>{v.text}</dd></>}
            </dl>
            {v.can_give && <Button className="wide" onClick={() => setAsking(true)}><Icon name="gift" />{t('gift.open')}</Button>}
          </>
        )}
      </div>
    </Dialog>
  );
}

function Picture({ code }: { code: string }) {
  const { t } = useTranslation('coupon');
  const drawn = useQuery({ queryKey: ['voucher-qr', code], staleTime: Infinity, queryFn: () => ok(api.GET('/portal/v1/vouchers/{code}/qr', { params: { path: { code } } })) });
  if (drawn.error) return <Failed error={drawn.error} retry={() => void drawn.refetch()} />;
  return <div className="qr big">{drawn.data && <img src={`data:image/svg+xml,${encodeURIComponent(drawn.data.svg)}`} alt={t('qr')} data-code={code} />}</div>;
}

/** The link: by the phone's own sharing where it has one, else to copy. */
function Share({ link, name }: { link: string; name: string }) {
  const { t } = useTranslation('coupon');
  const [copied, setCopied] = useState(false);
  const copy = () => void navigator.clipboard?.writeText(link).then(() => setCopied(true), () => undefined);
  return (
    <>
      <p className="link" data-testid="gift-link">{link}</p>
      {'share' in navigator
        ? <Button look="filled" className="wide" onClick={() => void navigator.share({ title: name, url: link }).catch(() => undefined)}><Icon name="export" />{t('gift.share')}</Button>
        : <Button look="filled" className="wide" onClick={copy}><Icon name="copy" />{t(copied ? 'gift.copied' : 'gift.copy')}</Button>}
      <p className="small">{t('gift.once')}</p>
    </>
  );
}
