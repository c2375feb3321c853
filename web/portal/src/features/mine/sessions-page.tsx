import { api, ok } from '@patron/shared/api/client.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { forget } from '../../frame/me.ts';
import { Button, Dialog, Failed, Page, Refusal, Skeleton } from '../../frame/parts.tsx';

/** Where one is signed in. */
export default function SessionsPage() {
  const { t } = useTranslation('mine');
  const format = useFormat();
  const client = useQueryClient();
  const [asking, setAsking] = useState(false);
  const query = useQuery({ queryKey: ['sessions'], queryFn: () => ok(api.GET('/portal/v1/sessions')) });
  const end = useMutation({ mutationFn: (id: string) => ok(api.DELETE('/portal/v1/sessions/{id}', { params: { path: { id } } })), onSettled: () => client.invalidateQueries({ queryKey: ['sessions'] }) });
  const endAll = useMutation({ mutationFn: () => ok(api.DELETE('/portal/v1/sessions')), onSuccess: () => forget(client) });
  return (
    <Page title={t('sessions.title')} back="/me">
      <p className="lead">{t('sessions.text')}</p>
      {query.isPending ? <Skeleton height={80} rows={2} /> : query.isError ? <section className="blk"><Failed error={query.error} retry={() => void query.refetch()} /></section> : (
        <>
          {end.error && <div style={{ margin: '0 16px 12px' }}><Refusal error={end.error} /></div>}
          <section className="blk list">
            {(query.data.items ?? []).map((s) => (
              <div key={s.id} className="row line">
                <span><span className="strong">{s.device || t('sessions.unknown')}</span><br /><span className="small">{t('sessions.seen', { since: format.day(s.started_at), seen: format.when(s.seen_at) })}</span></span>
                {s.current ? <span className="small nowrap here">{t('sessions.here')}</span> : <Button look="text" busy={end.isPending} onClick={() => end.mutate(s.id)}>{t('sessions.end')}</Button>}
              </div>
            ))}
          </section>
          <div style={{ margin: '16px 16px 0' }}><Button look="danger" className="wide" onClick={() => setAsking(true)}>{t('sessions.endAll')}</Button></div>
        </>
      )}
      {asking && (
        <Dialog title={t('sessions.endAll')} onClose={() => setAsking(false)}>
          <div className="stack">
            <p className="t2">{t('sessions.endAllText')}</p>
            <Refusal error={endAll.error} />
            <Button look="danger-filled" className="wide" busy={endAll.isPending} onClick={() => endAll.mutate()}>{t('sessions.endAll')}</Button>
          </div>
        </Dialog>
      )}
    </Page>
  );
}
