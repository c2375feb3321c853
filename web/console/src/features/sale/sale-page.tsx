import { api, ok } from '@patron/shared/api/client.ts';
import type { SaleView } from '@patron/shared/api/schema.d.ts';
import { Money } from '@patron/shared/ui/money.tsx';
import { Points } from '@patron/shared/ui/points.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, Skeleton } from 'antd';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { useCan } from '../../frame/me.ts';
import { useCurrencies, useStores } from '../../frame/lookups.ts';
import { Page } from '../../frame/page.tsx';
import { RuleLink, RuleTrace } from '../../ui/rule-trace.tsx';
import { Section, WithAside } from '../../ui/section.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { WideTable } from '../../ui/wide-table.tsx';
import { Assign } from './assign.tsx';
import { SaleState } from './sale-state.tsx';
import styles from './sale-page.module.css';

/** One sale or return: its lines, who paid how, what it earned and what of that was taken back. */
export default function SalePage() {
  const { t } = useTranslation('sale');
  const { id = '' } = useParams();
  const can = useCan();
  const [assigning, setAssigning] = useState(false);
  const one = useQuery({ queryKey: ['sale', id], queryFn: () => ok(api.GET('/v1/sales/{id}', { params: { path: { id } } })) });
  const sale = one.data;
  const free = sale?.kind === 'sale' && !sale.member_id && can('sales.write');
  return (
    <Page
      title={sale?.document ?? t('one')}
      crumbs={[{ to: '/sales', title: t('menu') }]}
      actions={free && <Button type="primary" onClick={() => setAssigning(true)}>{t('assign.open')}</Button>}
    >
      {one.error ? <Section><ErrorState error={one.error} retry={() => void one.refetch()} /></Section> : !sale ? <Section><Skeleton active /></Section> : <Detail sale={sale} />}
      <Assign sale={assigning ? sale : undefined} onClose={() => setAssigning(false)} />
    </Page>
  );
}

function Detail({ sale }: { sale: SaleView }) {
  const { t } = useTranslation('sale');
  const can = useCan();
  const stores = useStores();
  const known = sale.currency !== ''; // what comes back as a whole is worth what its sale was, once that arrives
  const fact = (label: string, value: ReactNode) => value && <div key={label}><dt>{label}</dt><dd>{value}</dd></div>;
  return (
    <WithAside
      aside={
        <>
          <Section title={t(sale.kind === 'return' ? 'back.title' : 'earned.title')}><Moved sale={sale} /></Section>
          {sale.kind === 'sale' && sale.member_id && can('rules.read') && <Explain id={sale.id} />}
        </>
      }
    >
      <Section>
        {known && <p className={styles.total}><Money amount={sale.kind === 'return' ? -sale.total : sale.total} currency={sale.currency} /></p>}
        <dl className={styles.facts}>
          {fact(t('column.kind'), <SaleState sale={sale} />)}
          {fact(t('column.at'), <When at={sale.at} />)}
          {fact(t('column.store'), stores.nameOf(sale.store))}
          {fact(t('column.till'), sale.till)}
          {fact(t('column.staff'), sale.staff)}
          {fact(t('column.channel'), sale.channel)}
          {fact(t('column.source'), sale.source)}
          {fact(t('column.member'), sale.member_id ? <Link to={`/members/${sale.member_id}`}>{t('toMember')}</Link> : t('nobody'))}
          {fact(t('ofSale'), sale.sale_id ? <Link to={`/sales/${sale.sale_id}`}>{t('toSale')}</Link> : sale.of && `${sale.of.source} ${sale.of.document}`)}
          {fact(t('posted'), <When at={sale.posted_at} />)}
        </dl>
        {sale.flags?.map((flag) => <p key={flag} className={styles.quiet}>{t(`flag.${flag}`)}</p>)}
      </Section>
      <Section title={t('lines')}>
        {!known && !sale.lines?.length ? <p className={styles.quiet}>{t('wholeWaits')}</p> : <WideTable
          rowKey={(l) => `${l.sale_id ?? ''}/${l.line}`}
          dataSource={sale.lines ?? []}
          columns={[
            { title: t('line.name'), render: (_, l) => <>{l.name || l.sku}{l.name && l.sku && <div className={styles.quiet}>{l.sku}</div>}{l.parked && <div className={styles.parked}>{l.parked}</div>}</> },
            { title: t('line.category'), dataIndex: 'category', responsive: ['md'] },
            { title: t('line.quantity'), align: 'right', dataIndex: 'quantity' },
            { title: t('line.returned'), align: 'right', render: (_, l) => l.returned_quantity || '' },
            { title: t('line.amount'), align: 'right', render: (_, l) => <Money amount={l.amount} currency={sale.currency} /> },
          ]}
        />}
      </Section>
      {(sale.payments?.length || sale.discounts?.length) ? (
        <Section title={t('paid')}>
          <ul className={styles.why}>
            {sale.payments?.map((p, i) => <li key={i}><span>{t(`payment.${p.kind}`, { defaultValue: p.kind })}{p.reference && <div className={styles.quiet}>{p.reference}</div>}</span><Money amount={p.amount} currency={sale.currency} /></li>)}
            {sale.discounts?.map((d, i) => <li key={`d${i}`}><span>{t('discount', { kind: d.kind })}{d.ref && <div className={styles.quiet}>{d.ref}</div>}</span><Money amount={-d.amount} currency={sale.currency} /></li>)}
          </ul>
        </Section>
      ) : null}
    </WithAside>
  );
}

/** What the sale gave, or what the return took back and gave back. */
function Moved({ sale }: { sale: SaleView }) {
  const { t } = useTranslation('sale');
  const currencies = useCurrencies();
  const points = (p: { currency: string; amount: number }, sign = 1) => <Points amount={sign * p.amount} decimals={currencies.decimalsOf(p.currency)} signed />;
  const rows = sale.kind === 'sale'
    ? (sale.points ?? []).flatMap((p) => [
        { key: p.lot_id, text: <>{currencies.nameOf(p.currency)}<div className={styles.quiet}>{t('rule')} <RuleLink rule={p.rule} /></div></>, figure: points(p) },
        ...(p.clawed_back > 0 ? [{ key: `${p.lot_id}-`, text: t('takenBack'), figure: points({ ...p, amount: p.clawed_back }, -1) }] : []),
      ])
    : [
        ...(sale.clawed_back ?? []).map((p, i) => ({ key: `c${i}`, text: <>{t('back.clawed', { name: currencies.nameOf(p.currency) })}{p.debt ? <div className={styles.quiet}>{t('back.debt', { n: p.debt })}</div> : null}</>, figure: points(p, -1) })),
        ...(sale.restored ?? []).map((p, i) => ({ key: `r${i}`, text: t('back.restored', { name: currencies.nameOf(p.currency) }), figure: points(p) })),
      ];
  if (rows.length === 0) return <p className={styles.quiet}>{t(sale.kind === 'return' ? 'back.none' : sale.member_id ? 'earned.none' : 'earned.nobody')}</p>;
  return <ul className={styles.why}>{rows.map((r) => <li key={r.key}><span>{r.text}</span><b>{r.figure}</b></li>)}</ul>;
}

/** Why these points: the sale is worked out again under the versions of its own time, when somebody asks. */
function Explain({ id }: { id: string }) {
  const { t } = useTranslation('sale');
  const [asked, setAsked] = useState(false);
  const why = useQuery({ queryKey: ['sale', id, 'why'], queryFn: () => ok(api.POST('/v1/rules/try', { body: { sale_id: id } })), enabled: asked, staleTime: Infinity, retry: false });
  return (
    <Section title={t('why.title')} note={asked ? t('why.note') : undefined}>
      {!asked ? <Button onClick={() => setAsked(true)}>{t('why.ask')}</Button>
        : why.error ? <ErrorState error={why.error} retry={() => void why.refetch()} />
          : !why.data ? <Skeleton active title={false} />
            : <RuleTrace decisions={why.data.rules ?? []} />}
    </Section>
  );
}
