import { api, ok } from '@patron/shared/api/client.ts';
import { isLanguage, languages, type Language } from '@patron/shared/i18n/i18n.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, Segmented, Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { useSearchParams } from 'react-router';
import { useStores } from '../../frame/lookups.ts';
import { programQuery, useMe } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { CopyField } from '../../ui/copy-field.tsx';
import { StoreSelect } from '../../ui/place-select.tsx';
import { Section } from '../../ui/section.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { Poster } from './poster.tsx';
import styles from './join-code-page.module.css';

const sizes = ['a4', 'a5'] as const;
export type Size = (typeof sizes)[number];

/** The code by which guests of a store join: to show on this screen, to print for the wall, to send as a link. */
export default function JoinCodePage() {
  const { t, i18n } = useTranslation('program');
  const [params, setParams] = useSearchParams();
  const mine = useMe().stores?.[0];
  const { list } = useStores();
  const program = useQuery(programQuery);
  const asked = params.get('store') ?? mine ?? program.data?.default_store;
  const size = sizes.find((s) => s === params.get('size')) ?? 'a4';
  const wanted = params.get('language');
  const language: Language = isLanguage(wanted) ? wanted : (i18n.language as Language);
  const store = list.find((s) => s.id === asked || s.code === asked);
  const link = useQuery({ queryKey: ['join-link', asked], queryFn: () => ok(api.GET('/v1/stores/{id}/join-link', { params: { path: { id: asked! } } })), enabled: asked !== undefined });
  const choose = (name: string, value: string) =>
    setParams((now) => {
      const next = new URLSearchParams(now);
      next.set(name, value);
      return next;
    }, { replace: true });

  return (
    <Page title={t('join.menu')} actions={<Button type="primary" disabled={!link.data} onClick={() => window.print()}>{t('join.print')}</Button>}>
      <Section>
        <div className={styles.page}>
          <div className={styles.tools}>
            <p className="lead">{t('join.lead')}</p>
            <div><span className={styles.label}>{t('field.store')}</span><StoreSelect open="only" style={{ width: '100%' }} aria-label={t('field.store')} value={store?.id} onChange={(id) => choose('store', list.find((s) => s.id === id)?.code ?? String(id))} /></div>
            <div><span className={styles.label}>{t('join.size')}</span><Segmented aria-label={t('join.size')} value={size} onChange={(s) => choose('size', s)} options={sizes.map((s) => ({ value: s, label: s.toUpperCase() }))} /></div>
            <div><span className={styles.label}>{t('join.language')}</span><Segmented aria-label={t('join.language')} value={language} onChange={(l) => choose('language', l)} options={Object.entries(languages).map(([value, label]) => ({ value, label }))} /></div>
            <div><span className={styles.label}>{t('join.link')}</span><CopyField label={t('join.link')} value={link.data?.url ?? ''} /></div>
            <p className="quiet">{t('join.printHelp')}</p>
          </div>
          {link.error ? <ErrorState error={link.error} retry={() => void link.refetch()} />
            : link.data && program.data ? <Poster size={size} language={language} program={program.data} store={store} url={link.data.url} svg={link.data.svg} />
              : program.error ? <ErrorState error={program.error} retry={() => void program.refetch()} />
                : !program.isPending && !asked ? <Blank drawing="members" title={t('stores.none')} />
                  : <Skeleton active className={styles.bone} />}
        </div>
      </Section>
    </Page>
  );
}
