import { api, ok } from '@patron/shared/api/client.ts';
import type { PortalMovement, PortalOwnWallet } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { useAmount } from '../../frame/amount.tsx';
import { mainWallet, useMe } from '../../frame/me.ts';
import { Choice, Failed, More, Page, Skeleton } from '../../frame/parts.tsx';
import { useProgram } from '../../frame/program.ts';

/** How many days show at once of those on which points come or end. */
const few = 3;

/** What one has, and what moved it, each with its why. */
export default function HistoryPage() {
  const { t } = useTranslation('points');
  const { named } = useFormat();
  const [search, setSearch] = useSearchParams();
  const wallets = useMe().wallets ?? [];
  const main = mainWallet(wallets, useProgram()?.joining.currency);
  const wallet = wallets.find((w) => w.currency === search.get('currency')) ?? main ?? wallets[0];
  return (
    <Page title={t('title')}>
      {wallets.length > 1 && wallet && (
        <div className="choiceout"><Choice label={t('wallets')} value={wallet.currency} onChange={(currency) => setSearch({ currency }, { replace: true })} options={wallets.map((w) => ({ value: w.currency, label: named(w) }))} /></div>
      )}
      {wallet ? <Wallet key={wallet.currency} wallet={wallet} /> : <Blank drawing="result" title={t('none')} text={t('noneText')} />}
    </Page>
  );
}

function Wallet({ wallet }: { wallet: PortalOwnWallet }) {
  const { t } = useTranslation('points');
  const format = useFormat();
  const amount = useAmount();
  const figures = ([['usable', wallet.available], ['pending', wallet.pending], ['held', wallet.held], ['debt', wallet.debt]] as const).filter(([name, n]) => name === 'usable' || n !== 0);
  const [all, setAll] = useState(false);
  const dates = [
    ...(wallet.activating ?? []).map((a) => ({ key: `a${a.usable_at}`, said: t('arrives', { day: format.day(a.usable_at) }), amount: a.amount })),
    ...(wallet.expiring ?? []).map((e) => ({ key: `e${e.expires_at}`, said: t('expires', { day: format.deadline(e.expires_at) }), amount: e.amount })),
  ];
  return (
    <>
      <section className="blk stack" style={{ marginTop: 0 }}>
        <dl className="figures">
          {figures.map(([name, n]) => <div key={name}><dt>{t(`figure.${name}`)}</dt><dd>{amount(n, wallet)}</dd></div>)}
        </dl>
        {wallet.kind === 'stored' && <p className="small">{t('stored', { principal: amount(wallet.principal ?? 0, wallet), bonus: amount(wallet.bonus ?? 0, wallet) })}</p>}
        {wallet.transfer && <Link className="btn line" to={`/points/give?currency=${encodeURIComponent(wallet.currency)}`}><Icon name="gift" />{t('give.title')}</Link>}
      </section>
      {dates.length > 0 && (
        <>
          <h2 className="head">{t('dates')}</h2>
          <section className="blk list">
            {(all ? dates : dates.slice(0, few)).map((d) => <p key={d.key} className="row"><span>{d.said}</span><span className="num">{amount(d.amount, wallet)}</span></p>)}
            {!all && dates.length > few && <button type="button" className="row rest" onClick={() => setAll(true)}>{t('datesAll', { count: dates.length })}</button>}
          </section>
        </>
      )}
      <h2 className="head">{t('history')}</h2>
      <Movements wallet={wallet} />
    </>
  );
}

function Movements({ wallet }: { wallet: PortalOwnWallet }) {
  const { t } = useTranslation('points');
  const { language } = useFormat();
  const list = useInfiniteQuery({
    queryKey: ['history', wallet.currency, language],
    initialPageParam: undefined as string | undefined,
    queryFn: ({ pageParam }) => ok(api.GET('/portal/v1/history', { params: { query: { currency: wallet.currency, limit: 20, cursor: pageParam } } })),
    getNextPageParam: (page) => page.next_cursor,
  });
  const items = list.data?.pages.flatMap((p) => p.items ?? []) ?? [];
  if (list.isPending) return <Skeleton height={92} rows={5} />;
  if (list.isError && items.length === 0) return <section className="blk"><Failed error={list.error} retry={() => void list.refetch()} /></section>;
  if (items.length === 0) return <section className="blk"><Blank drawing="result" title={t('none')} text={t('noneText')} /></section>;
  return (
    <>
      <ul className="blk list">{items.map((m) => <li key={m.id}><Movement move={m} wallet={wallet} /></li>)}</ul>
      <More query={list} />
    </>
  );
}

/** One entry: what it was, why, when and where; how much, and what could be used after it. */
function Movement({ move, wallet }: { move: PortalMovement; wallet: PortalOwnWallet }) {
  const { t } = useTranslation('points');
  const format = useFormat();
  const amount = useAmount();
  // What only changes its state (a hold, a maturing) leaves the sum as it is: then the usable part tells.
  const shown = move.amount !== 0 ? move.amount : move.available;
  const body = (
    <>
      <span>{move.title}</span>
      <span className={shown > 0 ? 'num strong up' : 'num strong'}>{amount(shown, wallet, true)}</span>
      {move.why !== move.title && <span className="small wide">{move.why}</span>}
      <span className="small">{[format.when(move.at), !(move.store && move.why.includes(move.store)) && move.store].filter(Boolean).join(' · ')}</span>
      <span className="small num">{t('after', { amount: amount(move.available_after, wallet) })}</span>
    </>
  );
  return move.purchase_id ? <Link className="row" to={`/purchases/${move.purchase_id}`}>{body}</Link> : <div className="row">{body}</div>;
}
