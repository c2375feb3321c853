import { api, ok } from '@patron/shared/api/client.ts';
import type { DrawLine } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useMutation, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';
import { Button, Failed, Page, Refusal, Select, Skeleton } from '../../frame/parts.tsx';
import { check } from './check.ts';
import { useOdds } from './draw.ts';
import './play.css';

/** What is published of a draw, and every outcome worked out again in this browser. Nobody need be signed in. */
export default function CheckPage() {
  const { t } = useTranslation('draw');
  const { id = '', epoch } = useParams();
  const navigate = useNavigate();
  const format = useFormat();
  const epochs = useQuery({ queryKey: ['draws', id, 'epochs'], queryFn: () => ok(api.GET('/portal/v1/draws/{id}/epochs', { params: { path: { id }, query: { limit: 60 } } })) });
  const items = epochs.data?.items ?? [];
  const chosen = Number(epoch) || (items.find((e) => e.closed_at) ?? items.at(-1))?.epoch;
  return (
    <Page title={t('check.title')} back={`/draws/${id}`}>
      <p className="lead" style={{ marginTop: 8 }}>{t('check.how')}</p>
      {epochs.isPending ? <Skeleton height={120} /> : epochs.isError ? <section className="blk"><Failed error={epochs.error} retry={() => void epochs.refetch()} /></section> : (
        <>
          <section className="blk">
            <Select label={t('check.epoch')} value={String(chosen)} onChange={(v) => void navigate(`/draws/${id}/check/${v}`, { replace: true })}
              options={items.map((e) => ({ value: String(e.epoch), label: t(e.closed_at ? 'check.over' : 'check.running', { epoch: e.epoch, when: format.when(e.from), count: e.plays }) }))} />
          </section>
          {chosen && <Epoch key={chosen} id={id} epoch={chosen} />}
        </>
      )}
    </Page>
  );
}

function Epoch({ id, epoch }: { id: string; epoch: number }) {
  const { t } = useTranslation('draw');
  const format = useFormat();
  const odds = useOdds();
  const [done, setDone] = useState(0);
  const found = useQuery({ queryKey: ['draws', id, 'proof', epoch], queryFn: () => ok(api.GET('/portal/v1/draws/{id}/proof', { params: { path: { id }, query: { epoch } } })) });
  const p = found.data;
  const run = useMutation({
    mutationFn: async () => {
      async function* pages(): AsyncGenerator<DrawLine[]> {
        for (let cursor: string | undefined; ;) {
          const page = await ok(api.GET('/portal/v1/draws/{id}/lines', { params: { path: { id }, query: { epoch, cursor, limit: 200 } } }));
          yield page.items ?? [];
          cursor = page.next_cursor;
          if (!cursor) return;
        }
      }
      return check({ ...p!, tables: p!.tables ?? [] }, pages(), setDone);
    },
  });
  if (!p) return found.isError ? <section className="blk"><Failed error={found.error} retry={() => void found.refetch()} /></section> : <Skeleton height={160} />;
  const name = (code: string) => p.names[code] ?? code;
  return (
    <>
      <section className="blk stack tight">
        <p className="small">{t('check.hash')}</p><p className="mono">{p.hash}</p>
        {p.seed ? <><p className="small">{t('check.seed')}</p><p className="mono">{p.seed}</p></> : <p className="alert info"><Icon name="clock" /><span>{t('check.sealed')}</span></p>}
        {p.seed && <Button look="filled" busy={run.isPending} onClick={() => run.mutate()}>{run.isPending ? t('check.busy', { done: format.count(done), all: format.count(p.plays) }) : t('check.go', { count: p.plays })}</Button>}
        <Refusal error={run.error} />
        <div role="status">
          {run.data && (run.data.length === 0
            ? <p className="alert good"><Icon name="approve" /><span>{t('check.good', { count: p.plays })}</span></p>
            : <div className="alert bad"><Icon name="warning" /><ul>{run.data.slice(0, 10).map((f, i) => <li key={i}>{f.n > 0 ? t('check.at', { n: f.n, what: t(`check.bad.${f.what}`) }) : t(`check.bad.${f.what}`)}</li>)}</ul></div>)}
        </div>
      </section>
      <h2 className="head">{t('check.tables')}</h2>
      {(p.tables ?? []).map((table) => (
        <section className="blk" key={table.number}>
          <p className="strong">{t('check.table', { number: table.number, when: format.when(table.at) })}</p>
          <p className="small">{t(`check.why.${table.why}`)} {t('check.from', { epoch: table.epoch, n: table.from })}</p>
          <table className="odds">
            <thead><tr><th scope="col">{t('odds.prize')}</th><th scope="col">{t('odds.odds')}</th></tr></thead>
            <tbody>{(table.odds ?? []).map((o) => <tr key={o.prize}><td>{name(o.prize)}</td><td>{odds(o.odds)}</td></tr>)}</tbody>
          </table>
          {table.guarantee_after > 0 && <p className="small">{t('check.guarantee', { count: table.guarantee_after, prize: name(table.guarantee_prize) })}</p>}
        </section>
      ))}
    </>
  );
}
