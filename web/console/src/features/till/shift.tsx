import { api, ok } from '@patron/shared/api/client.ts';
import { asProblem } from '@patron/shared/api/problem.ts';
import type { StaffMeView, TillReport, TillView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { formatPoints } from '@patron/shared/format/format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { createPortal } from 'react-dom';
import { useTranslation } from 'react-i18next';
import type { Place, Shop } from './device.ts';
import { Dialog, Trouble } from './dialog.tsx';
import { decimalsOf, payKinds } from './money.ts';
import { minorOf, worthOf } from './queue.ts';
import { heard, newKey, now, useTill } from './sender.ts';
import styles from './till.module.css';

interface Props {
  me: StaffMeView;
  shop: Shop;
  place: Place;
  close: () => void;
}

/** The day of a cashier: the drawer at opening, what came since, the drawer at closing. */
export function Shift({ me, shop, place, close }: Props) {
  const { t } = useTranslation('till');
  const client = useQueryClient();
  const { line, entries } = useTill();
  const [closed, setClosed] = useState<TillView>();
  const open = useQuery({
    queryKey: ['till', 'shift', place.store, place.till],
    retry: false,
    staleTime: 0,
    queryFn: async ({ signal }) => {
      const { items } = await ok(api.GET('/v1/shifts', { params: { query: { store: place.store, till: place.till, open: true, limit: 1 } }, signal }));
      const one = items?.[0];
      return one ? await ok(api.GET('/v1/shifts/{id}', { params: { path: { id: one.id } }, signal })) : null;
    },
  });
  const waiting = entries.filter((e) => e.state === 'waiting' || e.state === 'aside').length;
  return (
    <Dialog title={t('menuSheet.shift')} close={close} wide>
      {line === 'offline' && <p className={styles.why}><Icon name="lock" size={18} /><span>{t('shift.offline')}</span></p>}
      {waiting > 0 && <p className={styles.why}><Icon name="clock" size={18} /><span>{t('shift.waiting', { count: waiting })}</span></p>}
      {open.error && <Trouble>{open.error.message}</Trouble>}
      {closed
        ? <Closed shift={closed} me={me} shop={shop} place={place} close={close} />
        : open.data === null
          ? <Open place={place} shop={shop} me={me} opened={() => void open.refetch()} />
          : open.data && <Running shift={open.data} shop={shop} me={me} place={place} closed={(shift) => {
            setClosed(shift);
            client.removeQueries({ queryKey: ['till', 'shift'] });
          }} />}
    </Dialog>
  );
}

function MoneyField({ label, shop, text, set, enter }: { label: string; shop: Shop; text: string; set: (text: string) => void; enter: () => void }) {
  const { t } = useTranslation('till');
  const bad = text.trim() !== '' && minorOf(text, decimalsOf(shop.currency)) === undefined;
  return (
    <div className={styles.askForm}>
      <label>{label}<input value={text} autoFocus inputMode="decimal" placeholder="0.00" maxLength={20} aria-invalid={bad} onChange={(e) => set(e.target.value)} onKeyDown={(e) => e.key === 'Enter' && enter()} /></label>
      {bad && <p role="alert" className={styles.fieldError}>{t('order.badAmount')}</p>}
    </div>
  );
}

function Open({ place, shop, me, opened }: { place: Place; shop: Shop; me: StaffMeView; opened: () => void }) {
  const { t } = useTranslation('till');
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string>();
  const [key] = useState(newKey);
  const cash = minorOf(text || '0', decimalsOf(shop.currency));
  async function act() {
    if (cash === undefined) return;
    setProblem(undefined);
    try {
      await ok(api.POST('/v1/shifts', { params: { header: { 'Idempotency-Key': `${key}:${cash}` } }, body: { store: place.store, till: place.till, cashier: me.name.slice(0, 64), opening_cash: cash }, signal: AbortSignal.timeout(8000) }));
      opened();
    } catch (error) {
      const refused = asProblem(error);
      heard(refused);
      setProblem(refused.message);
    }
  }
  return (
    <>
      <p className={styles.note}>{t('shift.none', { till: place.till })}</p>
      <MoneyField label={t('shift.opening')} shop={shop} text={text} set={setText} enter={() => void act()} />
      {problem && <Trouble>{problem}</Trouble>}
      <button type="button" className={styles.primary} disabled={cash === undefined} onClick={() => void act()}>{t('shift.open')}</button>
    </>
  );
}

function Running({ shift, shop, me, place, closed }: { shift: TillView; shop: Shop; me: StaffMeView; place: Place; closed: (shift: TillView) => void }) {
  const { t } = useTranslation('till');
  const { money, when } = useFormat();
  const [text, setText] = useState('');
  const [note, setNote] = useState('');
  const [problem, setProblem] = useState<string>();
  const [key] = useState(newKey);
  const counted = minorOf(text, decimalsOf(shop.currency));
  async function act() {
    if (counted === undefined) return;
    setProblem(undefined);
    try {
      closed(await ok(api.POST('/v1/shifts/{id}/close', { params: { path: { id: shift.id }, header: { 'Idempotency-Key': `${key}:${counted}` } }, body: { counted_cash: counted, ...(note.trim() ? { note: note.trim() } : {}) }, signal: AbortSignal.timeout(8000) })));
    } catch (error) {
      const refused = asProblem(error);
      heard(refused);
      setProblem(refused.message);
    }
  }
  return (
    <>
      <p className={styles.note}>{t('shift.since', { when: when(shift.opened_at), cash: money(shift.opening_cash, shop.currency) })}</p>
      <Reports shift={shift} me={me} place={place} shop={shop} />
      <dl className={styles.sum}><dt>{t('shift.expected')}</dt><dd><b>{money(shift.expected_cash, shop.currency)}</b></dd></dl>
      <MoneyField label={t('shift.counted')} shop={shop} text={text} set={setText} enter={() => void act()} />
      {counted !== undefined && counted !== shift.expected_cash && (
        <div className={styles.askForm}>
          <p className={styles.isWaiting}>{counted > shift.expected_cash ? t('shift.over', { money: money(counted - shift.expected_cash, shop.currency) }) : t('shift.short', { money: money(shift.expected_cash - counted, shop.currency) })}</p>
          <label>{t('shift.note')}<input value={note} maxLength={500} onChange={(e) => setNote(e.target.value)} /></label>
        </div>
      )}
      {problem && <Trouble>{problem}</Trouble>}
      <button type="button" className={styles.primary} disabled={counted === undefined} onClick={() => void act()}>{t('shift.close')}</button>
    </>
  );
}

/** The till since its shift began, or the cashier alone. */
function Reports({ shift, me, place, shop }: { shift: TillView; me: StaffMeView; place: Place; shop: Shop }) {
  const { t } = useTranslation('till');
  const [mine, setMine] = useState(false);
  const own = useQuery({
    queryKey: ['till', 'report', shift.id, me.id],
    enabled: mine,
    staleTime: 0,
    retry: false,
    queryFn: ({ signal }) => ok(api.GET('/v1/reports/shift', { params: { query: { store: place.store, staff: me.name.slice(0, 64), by: `staff:${me.id}`, from: shift.opened_at, to: new Date(now().getTime() + 1000).toISOString() } }, signal })),
  });
  const report = mine ? own.data : shift.report;
  return (
    <>
      <div className={styles.switch} role="group" aria-label={t('shift.whose')}>
        <button type="button" aria-pressed={!mine} onClick={() => setMine(false)}>{t('shift.ofTill', { till: place.till })}</button>
        <button type="button" aria-pressed={mine} onClick={() => setMine(true)}>{t('shift.ofMe', { name: me.name })}</button>
      </div>
      {report ? <ReportView report={report} shop={shop} /> : <div className={styles.paperEmpty} />}
    </>
  );
}

function ReportView({ report, shop }: { report: TillReport; shop: Shop }) {
  const { t } = useTranslation('till');
  const { money, language, named } = useFormat();
  const currency = (code: string) => shop.currencies.find((c) => c.code === code);
  const points = (code: string, n: number) => (currency(code)?.kind === 'stored' ? money(worthOf(n, currency(code)!.millionths), shop.currency) : formatPoints(n, language, { decimals: currency(code)?.decimals ?? 0 }));
  const kindOf = (kind: string) => (kind === 'points' ? t('pay.points') : (payKinds as readonly string[]).includes(kind) ? t(`pay.kinds.${kind}`) : kind);
  const row = (name: string, value: string, count?: number) => <tr key={name}><th scope="row">{name}</th><td>{count === undefined ? '' : t('shift.count', { count })}</td><td>{value}</td></tr>;
  return (
    <table className={styles.report}>
      <tbody>
        {(report.money ?? []).length === 0 && <tr><td colSpan={3} className={styles.second}>{t('shift.nothing')}</td></tr>}
        {(report.money ?? []).map((m) => [
          row(t('shift.sales'), money(m.sold, m.currency), m.sales),
          row(t('shift.returns'), money(-m.returned, m.currency), m.returns),
          row(t('shift.voids'), money(-m.voided, m.currency), m.voids),
          <tr key="net" className={styles.strong}><th scope="row">{t('shift.net')}</th><td /><td>{money(m.net, m.currency)}</td></tr>,
          ...(m.payments ?? []).map((p) => row(kindOf(p.kind), money(p.amount, m.currency))),
        ])}
        {(report.points ?? []).filter((p) => currency(p.currency)?.kind !== 'growth').map((p) => {
          const name = currency(p.currency) ? named(currency(p.currency)!) : p.currency;
          return [
            p.earned || p.clawed_back ? row(t('shift.earned', { name }), points(p.currency, p.earned - p.clawed_back)) : null,
            p.spent || p.restored ? row(t('shift.spent', { name }), points(p.currency, p.spent - p.restored)) : null,
          ];
        })}
        {(report.stored_value ?? []).map((s) => row(t('shift.stored', { how: kindOf(s.payment) }), money(s.worth, shop.currency), s.count))}
      </tbody>
    </table>
  );
}

function Closed({ shift, me, shop, place, close }: Props & { shift: TillView }) {
  const { t } = useTranslation('till');
  const { money, exact, named } = useFormat();
  const [printing, setPrinting] = useState(false);
  useEffect(() => {
    if (!printing) return;
    window.print();
    setTimeout(() => setPrinting(false), 0);
  }, [printing]);
  const figures = (
    <>
      {shift.report && <ReportView report={shift.report} shop={shop} />}
      <dl className={styles.sum}>
        <dt>{t('shift.opening')}</dt><dd>{money(shift.opening_cash, shop.currency)}</dd>
        <dt>{t('shift.expected')}</dt><dd>{money(shift.expected_cash, shop.currency)}</dd>
        <dt>{t('shift.counted')}</dt><dd>{money(shift.counted_cash, shop.currency)}</dd>
        <dt>{t('shift.difference')}</dt><dd><b>{money(shift.difference, shop.currency, { signed: true })}</b></dd>
      </dl>
    </>
  );
  return (
    <>
      <p className={styles.note}>{t('shift.closed')}</p>
      {figures}
      <div className={styles.acts}>
        <button type="button" className={styles.button} onClick={() => setPrinting(true)}>{t('shift.print')}</button>
        <button type="button" className={styles.primary} autoFocus onClick={close}>{t('close')}</button>
      </div>
      {printing && createPortal(
        <div className="till-print">
          <article className={styles.paper}>
            <header><b>{named(shop)}</b><span>{named({ name_en: place.store_en, name_zh: place.store_zh })}</span><span>{t('shift.paper', { till: place.till, name: me.name })}</span><span>{exact(shift.opened_at)}</span><span>{shift.closed_at && exact(shift.closed_at)}</span></header>
            {figures}
            {shift.note && <p>{shift.note}</p>}
          </article>
        </div>, document.body)}
    </>
  );
}
