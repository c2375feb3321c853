import type { CouponOwnVoucher } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Ticket } from '@patron/shared/ticket/ticket.tsx';
import { useTicketWords } from '@patron/shared/ticket/words.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import type { ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useNow } from '../../frame/parts.tsx';

const soonMS = 2 * 86_400_000;

type Place = { id: string; name: string };

/** Where it is taken and what limits it, in a line. */
export function useBounds() {
  const { t } = useTranslation('coupon');
  return (stores: Place[] | null | undefined, bounds: string[]): string[] => {
    const list = stores ?? [];
    const where = list.length === 0 ? [] : [list.length <= 3 ? t('stores', { list: list.map((s) => s.name).join(t('listed')) }) : t('manyStores', { count: list.length })];
    const said = [...where, ...bounds].join(t('comma'));
    return said ? [said] : [];
  };
}

/** The last instant that counts, as the first that does not: what a deadline is written of. */
export const endOf = (until: string) => new Date(Date.parse(until) + 1);

/** One's voucher: what it is worth, for what, until when; and what can be done with it now. */
export function VoucherTicket({ voucher: v, act }: { voucher: CouponOwnVoucher; act?: ReactNode }) {
  const { t } = useTranslation('coupon');
  const format = useFormat();
  const words = useTicketWords(v.money_currency);
  const bounds = useBounds();
  const now = useNow(60_000);
  const usable = v.state === 'claimed' || v.state === 'held' || v.state === 'gifting' || v.state === 'issued';
  const soon = usable && v.valid_until && Date.parse(v.valid_until) - now < soonMS;
  let foot: ReactNode;
  if (v.state === 'redeemed') foot = v.used_at && t('usedAt', { day: format.day(v.used_at), amount: words.money(v.off) });
  else if (v.state === 'revoked') foot = t('state.revoked');
  else if (v.state === 'expired') foot = v.valid_until && t('endedAt', { day: format.day(v.valid_until) });
  else if (v.early && v.valid_from) foot = t('fromDay', { day: format.when(v.valid_from) });
  else if (!v.valid_until) foot = t('noEnd');
  else foot = soon ? <span className="urgent"><Icon name="clock" size={16} />{t('until', { day: format.deadline(endOf(v.valid_until)) })}</span> : t('until', { day: format.deadline(endOf(v.valid_until)) });
  const word = v.state === 'held' ? t('state.held') : v.early ? t('state.early') : v.paused ? t('state.paused') : undefined;
  return (
    <Ticket
      stub={words.stub(v)}
      title={v.name}
      off={!usable}
      lines={[...bounds(v.stores, words.bounds(v)), ...(usable && v.times > 1 ? [t('usesLeft', { count: v.uses_left })] : [])]}
      foot={foot}
      act={usable ? (word ? <span className="t2">{word}</span> : act) : undefined}
    />
  );
}
