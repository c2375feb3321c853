import { api, ok } from '@patron/shared/api/client.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Failed, Page, Skeleton } from '../../frame/parts.tsx';

/** The codes that a demonstration sends to nobody. */
export default function InboxPage() {
  const { t } = useTranslation('door');
  const format = useFormat();
  const inbox = useQuery({ queryKey: ['inbox'], queryFn: () => ok(api.GET('/portal/v1/inbox')), refetchInterval: 3000 });
  const items = inbox.data?.items ?? [];
  return (
    <Page title={t('inbox.title')} back="/">
      <p className="lead">{t('inbox.text')}</p>
      {inbox.isPending ? <Skeleton height={96} rows={2} /> : inbox.isError ? <Failed error={inbox.error} retry={() => void inbox.refetch()} />
        : items.length === 0 ? <Blank drawing="result" title={t('inbox.none')} text={t('inbox.noneText')} /> : (
          <section className="blk list" aria-live="polite">
            {items.map((m) => (
              <div key={m.at + m.code} className="row">
                <span className="code-shown">{m.code}</span>
                <span className="small num">{format.when(m.at)}</span>
                <span className="small wide">{m.to}</span>
                <span className="small wide">{m.text}</span>
              </div>
            ))}
          </section>
        )}
    </Page>
  );
}
