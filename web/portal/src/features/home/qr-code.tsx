import { api, ok } from '@patron/shared/api/client.ts';
import type { PortalQrView } from '@patron/shared/api/schema.d.ts';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ahead } from '../../frame/ahead.ts';
import { Button, Dialog, useNow } from '../../frame/parts.tsx';

/**
 * The code of now: asked for again before it runs out, not while the page is hidden, and gone from the
 * screen once it is over. How old it is goes by the clock of this device, whatever that shows.
 */
function useCode() {
  const query = useQuery({
    queryKey: ['qr'],
    staleTime: 0,
    gcTime: 0,
    queryFn: async () => {
      // The one that was asked for ahead is as old as the page at most; on a page that has stood for longer it is not looked at.
      const early = performance.now() < 10_000 ? await ahead('qr') : undefined;
      if (early?.ok) return { ...((await early.json()) as PortalQrView), read: performance.timeOrigin };
      return { ...(await ok(api.GET('/portal/v1/qr'))), read: Date.now() };
    },
    refetchInterval: (q) => (q.state.data?.refresh_seconds ?? 20) * 1000,
    refetchOnWindowFocus: 'always',
    refetchOnReconnect: 'always',
  });
  const now = useNow(1000);
  const code = query.data;
  const good = code && now - code.read < (code.refresh_seconds * 2 - 5) * 1000;
  return { code: good ? code : undefined, failed: query.isError && !good, offline: query.error?.status === 0, retry: () => void query.refetch() };
}

/** The eave with the code under it; a tap makes it large. */
export function QrCode({ number }: { number: string }) {
  const { t } = useTranslation('home');
  const { code, failed, offline, retry } = useCode();
  const [large, setLarge] = useState(false);
  const picture = code ? <img src={`data:image/svg+xml,${encodeURIComponent(code.svg)}`} alt={t('qr.alt')} data-code={code.code} /> : failed ? <p>{offline ? t('qr.offline') : t('qr.failed')}</p> : null;
  return (
    <>
      <button type="button" className="eave" onClick={() => setLarge(true)} aria-label={t('qr.enlarge')}>
        <svg width="140" height="28" viewBox="0 0 132 26" fill="none" aria-hidden><circle cx="66" cy="4" r="4" fill="var(--celadon)" /><path d="M3 24v-2a9 9 0 0 1 9-9h108a9 9 0 0 1 9 9v2" stroke="var(--celadon)" strokeWidth="4" strokeLinecap="round" /></svg>
        <div className="qr">{picture}</div>
      </button>
      {large && (
        <Dialog title={t('qr.title')} onClose={() => setLarge(false)}>
          <div className="stack">
            <div className="qr big">{picture}</div>
            {failed && <Button onClick={retry}>{t('ui:error.retry')}</Button>}
            <p className="small" style={{ textAlign: 'center' }}>{t('qr.number', { number })}<br />{t('qr.fresh')}</p>
          </div>
        </Dialog>
      )}
    </>
  );
}
