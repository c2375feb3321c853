import { api, ok } from '@patron/shared/api/client.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Button, Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { useActors } from '../../frame/lookups.ts';
import { Section } from '../../ui/section.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { useSaid, type Definition, type Rule } from './api.ts';
import { differences, useFacts } from './facts.ts';
import styles from './versions.module.css';

/** The versions of a rule, the latest first, each with what it changed. */
export function Versions({ rule, draft }: { rule: Rule; draft: Definition | undefined }) {
  const { t } = useTranslation('rule');
  const said = useSaid();
  const actor = useActors();
  const list = useInfiniteQuery({
    queryKey: ['rule-versions', rule.id],
    queryFn: ({ pageParam }) => ok(api.GET('/v1/rule-versions', { params: { query: { rule: rule.id, limit: 20, cursor: pageParam } } })),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (last) => last.next_cursor,
  });
  const versions = list.data?.pages.flatMap((p) => p.items ?? []);
  return (
    <Section title={t('versions.title')}>
      {list.error ? <ErrorState error={list.error} retry={() => void list.refetch()} /> : !versions ? <Skeleton active title={false} /> : (
        <ol className={styles.list}>
          {draft && versions[0] && (
            <li>
              <div className={styles.head}><b>{t('versions.draft')}</b></div>
              <Changes before={versions[0].rule} after={draft} />
            </li>
          )}
          {versions.map((v, i) => {
            const before = versions[i + 1];
            return (
              <li key={v.version}>
                <div className={styles.head}>
                  <b>{t('versions.version', { version: v.version })}</b>
                  {v.version === rule.version && rule.state === 'live' && <span className={styles.live}>{t('state.live')}</span>}
                  <span className="quiet"><When at={v.published_at} /> {actor(v.published_by)}</span>
                </div>
                <p>{said(v.words)}</p>
                {before && <details><summary>{t('versions.changed', { version: before.version })}</summary><Changes before={before.rule} after={v.rule} /></details>}
              </li>
            );
          })}
        </ol>
      )}
      {list.hasNextPage && <Button size="small" loading={list.isFetchingNextPage} onClick={() => void list.fetchNextPage()}>{t('versions.more')}</Button>}
    </Section>
  );
}

/** Field by field: before → after. */
export function Changes({ before, after }: { before: Definition; after: Definition }) {
  const { t } = useTranslation('rule');
  const facts = useFacts();
  const list = differences(facts(before), facts(after));
  if (list.length === 0) return <p className="quiet">{t('versions.same')}</p>;
  return (
    <dl className={styles.changes}>
      {list.map((c) => (
        <div key={c.key}>
          <dt>{c.label}</dt>
          <dd><span>{c.before || t('versions.nothing')}</span><Icon name="right" size={14} /><span className="visually-hidden">{t('versions.becomes')}</span><b>{c.after || t('versions.nothing')}</b></dd>
        </div>
      ))}
    </dl>
  );
}
