import { api, ok } from '@patron/shared/api/client.ts';
import { ApiProblem } from '@patron/shared/api/problem.ts';
import type { PortalEarned, PortalPurchaseLine } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { useAmount } from '../../frame/amount.tsx';
import { useMe } from '../../frame/me.ts';
import { Failed, Page, Skeleton } from '../../frame/parts.tsx';
import { State } from './state.tsx';

/** One purchase: its lines, what it earned, what came back of it. */
export default function PurchasePage() {
  const { t } = useTranslation('purchases');
  const format = useFormat();
  const { id = '' } = useParams();
  const query = useQuery({ queryKey: ['purchases', 'one', id, format.language], queryFn: () => ok(api.GET('/portal/v1/purchases/{id}', { params: { path: { id } } })) });
  const p = query.data;
  if (query.isPending) return <Page title={t('one')} back="/purchases"><Skeleton height={64} rows={5} /></Page>;
  if (!p) {
    const gone = query.error instanceof ApiProblem && query.error.status === 404;
    return <Page title={t('one')} back="/purchases">{gone ? <Blank drawing="result" title={t('gone')} text={t('goneText')} /> : <section className="blk"><Failed error={query.error} retry={() => void query.refetch()} /></section>}</Page>;
  }
  const back = p.kind === 'return';
  const returns = p.returns ?? [];
  return (
    <Page title={back ? t('oneReturn') : t('one')} back="/purchases">
      <section className="blk" style={{ marginTop: 0 }}>
        <div className="headrow" style={{ margin: 0 }}><span className="strong">{p.store ?? t('sale')}</span><State purchase={p} /></div>
        <p className="small">{format.when(p.at)} · {t('document', { document: p.document })}</p>
        {back && p.sale_id && <p style={{ marginTop: 8 }}><Link to={`/purchases/${p.sale_id}`} className="btn text" style={{ paddingLeft: 0 }}>{t('ofSale')}</Link></p>}
      </section>
      <section className="blk list">
        {(p.lines ?? []).map((l) => <Line key={l.line} line={l} currency={p.currency} back={back} />)}
        <p className="row total"><span>{back ? t('givenBack') : t('paid')}</span><span className="num">{format.money(p.total, p.currency)}</span></p>
      </section>
      <Points points={p.points ?? []} back={back} />
      {returns.length > 0 && (
        <>
          <h2 className="head">{t('returns')}</h2>
          <section className="blk list">
            {returns.map((r) => (
              <Link key={r.id} className="row" to={`/purchases/${r.id}`}>
                <span>{(r.lines ?? []).map((l) => l.name ?? l.sku).filter(Boolean).join(t('comma')) || t('oneReturn')}</span>
                <span className="num">{format.money(-r.total, r.currency)}</span>
                <span className="small">{format.when(r.at)}</span>
                <span className="small num"><State purchase={r} /></span>
              </Link>
            ))}
          </section>
        </>
      )}
    </Page>
  );
}

function Line({ line: l, currency, back }: { line: PortalPurchaseLine; currency: string; back: boolean }) {
  const { t } = useTranslation('purchases');
  const format = useFormat();
  return (
    <div className="row">
      <span>{l.name ?? l.sku ?? t('line', { line: l.line })} {l.quantity !== 1 && <span className="t2 nowrap">× {l.quantity}</span>}</span>
      <span className="num">{format.money(l.amount, currency)}</span>
      {!back && l.returned_quantity !== undefined && l.returned_quantity > 0 && <span className="small wide">{t('cameBack', { quantity: l.returned_quantity, money: format.money(l.returned_amount ?? 0, currency) })}</span>}
    </div>
  );
}

function Points({ points, back }: { points: PortalEarned[]; back: boolean }) {
  const { t } = useTranslation('purchases');
  const { named } = useFormat();
  const amount = useAmount();
  const wallets = useMe().wallets ?? [];
  const rows = points.flatMap((e) => {
    const wallet = wallets.find((w) => w.currency === e.currency);
    if (!wallet) return [];
    return [
      !back && e.amount > 0 && { key: `${e.currency}+`, label: t('earned', { currency: named(wallet) }), value: amount(e.amount, wallet, true) },
      e.taken_back > 0 && { key: `${e.currency}-`, label: t('takenBack', { currency: named(wallet) }), value: amount(-e.taken_back, wallet, true) },
    ].filter((r) => r !== false);
  });
  if (rows.length === 0) return null;
  return <section className="blk list">{rows.map((r) => <p key={r.key} className="row"><span>{r.label}</span><span className="num">{r.value}</span></p>)}</section>;
}
