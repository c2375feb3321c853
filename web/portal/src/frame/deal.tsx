import { api, ok } from '@patron/shared/api/client.ts';
import type { OfferInstanceView2 } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon, type IconName } from '@patron/shared/ui/icon.tsx';
import { infiniteQueryOptions, useMutation, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { keepRows } from './blocks.ts';
import { Button, Refusal } from './parts.tsx';
import { useMe } from './me.ts';

export type Offer = OfferInstanceView2;

/** One's offers, those that can be begun first. */
export const offersQuery = infiniteQueryOptions({
  queryKey: ['offers'],
  staleTime: 15_000,
  initialPageParam: undefined as string | undefined,
  queryFn: async ({ pageParam }) => {
    const page = await ok(api.GET('/portal/v1/offers', { params: { query: { cursor: pageParam, limit: 20 } } }));
    if (!pageParam) keepRows('offers', Math.min(2, (page.items ?? []).filter(open).length));
    return page;
  },
  getNextPageParam: (page) => page.next_cursor,
});

/** Whether one can still do something about it. */
export const open = (o: Offer) => !o.paused && ['available', 'received', 'viewed', 'progressing'].includes(o.state);

const faces: Record<Offer['goal']['kind'], IconName> = { spend: 'sale', purchase: 'sale', visits: 'cup', streak: 'calendar', products: 'gift' };

/** One offer: what is to be done, how far one is, what it gives, until when. */
export function Deal({ offer: o }: { offer: Offer }) {
  const { t } = useTranslation('offer');
  const format = useFormat();
  const reward = useReward(o);
  const client = useQueryClient();
  const accept = useMutation({
    mutationFn: () => ok(api.POST('/portal/v1/offers/{id}/accept', { params: { path: { id: o.id ?? o.offer_id } } })),
    onSuccess: () => client.invalidateQueries({ queryKey: ['offers'] }),
  });
  const p = o.progress;
  const amount = (n: number) => (p.unit === 'money' && p.currency ? format.money(n, p.currency, { trim: true }) : format.count(n));
  const left = Math.max(0, p.all - p.done);
  const begins = o.state === 'available' || (o.opt_in && !o.accepted_at && open(o));
  const done = o.state === 'completed' || o.state === 'rewarded';
  const until = o.counts_until && format.deadline(o.counts_until);
  const said = done ? t(o.waits ? 'done.waits' : 'done.rewarded') : o.state === 'expired' || o.state === 'cancelled' ? t(`over.${o.state}`) : o.paused ? t('paused')
    : t(`left.${p.unit}`, { amount: amount(left), count: left });
  return (
    <div className="row deal">
      {o.picture ? <img className="face" src={o.picture} alt="" loading="lazy" /> : <span className="face"><Icon name={faces[o.goal.kind]} size={24} /></span>}
      <div>
        <p className="between"><span className="strong">{o.name}</span><span className="t2 nowrap">{amount(p.done)} / {amount(p.all)}</span></p>
        <div className={done ? 'bar done' : 'bar offer'} role="progressbar" aria-valuenow={p.percent} aria-valuemin={0} aria-valuemax={100} aria-label={o.name}><i style={{ width: `${p.percent}%` }} /></div>
        <p className="small">{[said, !done && open(o) && until && t('until', { day: until }), reward && t('gives', { reward })].filter(Boolean).join(t('comma'))}</p>
        {o.text && <p className="small">{o.text}</p>}
        {begins && <Button busy={accept.isPending} onClick={() => accept.mutate()}>{t('accept')}</Button>}
        <Refusal error={accept.error} />
      </div>
    </div>
  );
}

/** 得 50 分, or a badge. */
function useReward(o: Offer): string {
  const { t } = useTranslation('offer');
  const format = useFormat();
  const wallet = useMe().wallets?.find((w) => w.currency === o.reward.currency);
  const parts: string[] = [];
  if (o.reward.amount) parts.push(wallet?.kind === 'points' || !o.reward.currency_name ? format.points(o.reward.amount, { decimals: wallet?.decimals ?? 0 }) : t('amountOf', { amount: format.count(o.reward.amount), currency: o.reward.currency_name }));
  if (o.reward.badge) parts.push(t('badge', { name: format.named(o.reward.badge) }));
  return parts.join(t('comma'));
}
