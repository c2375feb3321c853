import { api, ok } from '@patron/shared/api/client.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { queryOptions, useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { keepRows, rowsOf } from './blocks.ts';
import { useMe } from './me.ts';
import { Button, Refusal, Skeleton } from './parts.tsx';

export const checkInQuery = queryOptions({
  queryKey: ['check-in'],
  staleTime: 60_000,
  queryFn: async () => {
    const state = await ok(api.GET('/portal/v1/check-in'));
    keepRows('checkIn', state.active ? 1 : 0);
    return state;
  },
});

/** The daily check-in with its ladder: what today gives, and the days in a row. */
export function CheckIn() {
  const { t } = useTranslation('offer');
  const format = useFormat();
  const me = useMe();
  const client = useQueryClient();
  const state = useQuery(checkInQuery);
  const go = useMutation({
    mutationFn: () => ok(api.POST('/portal/v1/check-in')),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ['check-in'] });
      await client.invalidateQueries({ queryKey: ['me'] });
    },
  });
  const s = state.data;
  if (state.isPending && rowsOf('checkIn')) return <Skeleton height={112} />;
  if (!s?.active) return null;
  const wallet = me.wallets?.find((w) => w.currency === s.currency);
  const say = (n: number) => (wallet?.kind === 'points' || !s.currency_name ? format.points(n, { decimals: wallet?.decimals ?? 0 }) : t('amountOf', { amount: format.count(n), currency: s.currency_name }));
  const steps = s.steps ?? [];
  const place = steps.length === 0 ? 0 : s.cyclic ? (s.run === 0 ? 0 : ((s.run - 1) % steps.length) + 1) : Math.min(s.run, steps.length);
  const filled = s.today || place < steps.length ? place : s.cyclic ? 0 : place; // a round that is over begins anew tomorrow
  return (
    <section className="blk" aria-label={t('checkIn.title')}>
      <div className="checkin">
        <div>
          <p className="strong">{s.today ? t('checkIn.run', { count: s.run }) : t('checkIn.today', { amount: say(s.next) })}</p>
          <p className="small">{s.today ? t('checkIn.tomorrow', { amount: say(s.next) }) : s.run > 0 ? t('checkIn.run', { count: s.run }) : t('checkIn.begin')}</p>
        </div>
        {s.today ? <span className="herenow"><Icon name="approve" size={16} />{t('checkIn.done')}</span> : <Button busy={go.isPending} onClick={() => go.mutate()}>{t('checkIn.go')}</Button>}
      </div>
      {steps.length > 1 && <ol className="days" aria-hidden>{steps.slice(0, 7).map((n, i) => <li key={i} className={i < filled ? 'on' : undefined}>+{n / 10 ** (wallet?.decimals ?? 0)}</li>)}</ol>}
      <Refusal error={go.error} />
    </section>
  );
}
