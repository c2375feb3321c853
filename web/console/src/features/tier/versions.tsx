import { api, ok } from '@patron/shared/api/client.ts';
import type { TierScheme, TierSchemeView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useStandingWords } from '@patron/shared/standing/words.ts';
import { When } from '@patron/shared/ui/when.tsx';
import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { Button, Drawer, Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { useActors, useCurrencies } from '../../frame/lookups.ts';
import { programQuery } from '../../frame/me.ts';
import { ErrorState } from '../../ui/states.tsx';
import { schemeInWords } from './scheme.ts';
import styles from './versions.module.css';

/** What was live when, and the way back to one of them as a draft. */
export function Versions({ open, scheme: s, onClose, onTake }: { open: boolean; scheme: TierSchemeView; onClose: () => void; onTake: ((scheme: TierScheme) => void) | undefined }) {
  const { t } = useTranslation('tier');
  const { named } = useFormat();
  const who = useActors();
  const money = useQuery(programQuery).data?.currency;
  const currencies = useCurrencies();
  const words = useStandingWords({ money, decimals: s.live?.currency ? currencies.decimalsOf(s.live.currency) : 0 });
  const list = useInfiniteQuery({
    queryKey: ['tier-schemes', s.code, 'versions'],
    enabled: open,
    queryFn: ({ pageParam }) => ok(api.GET('/v1/tier-schemes/{code}/versions', { params: { path: { code: s.code }, query: { cursor: pageParam, limit: 20 } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor,
    select: (d) => d.pages.flatMap((p) => p.items ?? []),
  });
  return (
    <Drawer open={open} onClose={onClose} title={t('versions.title', { name: named(s.live ?? s.draft!) })} size={520}>
      {list.error ? <ErrorState error={list.error} retry={() => void list.refetch()} /> : !list.data ? <Skeleton active /> : (
        <ol className={styles.list}>
          {list.data.map((v) => (
            <li key={v.version}>
              <header><h3>{t('versions.one', { version: v.version })}</h3><span className="quiet"><When at={v.at} />{t('comma')}{who(v.actor)}</span></header>
              <p>{schemeInWords(t, v.scheme).join(t('words.join'))}{t('words.end')}</p>
              <ul>{[...(v.scheme.tiers ?? [])].reverse().map((tier) => <li key={tier.code}><b>{named(tier)}</b><span>{words.asks(tier.qualify)}</span></li>)}</ul>
              {onTake && v.version !== s.version && <Button size="small" onClick={() => onTake(v.scheme)}>{t('versions.take')}</Button>}
            </li>
          ))}
        </ol>
      )}
      {list.hasNextPage && <Button size="small" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{t('versions.more')}</Button>}
    </Drawer>
  );
}
