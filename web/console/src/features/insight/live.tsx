import { api, ok } from '@patron/shared/api/client.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Money } from '@patron/shared/ui/money.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { useEffect, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { Amount } from '../../ui/amount.tsx';
import { Section } from '../../ui/section.tsx';
import styles from './live.module.css';

/** One message of GET /v1/live. */
interface Happening {
  position: number;
  kind: string;
  type: string;
  at: string;
  member_id?: string;
  member_number?: string;
  member_name?: string;
  store?: string;
  sale_id?: string;
  currency?: string;
  total?: number;
  points?: { currency: string; kind: string; amount: number }[] | null;
}

const kept = 8;
const kinds = ['sale', 'return', 'join', 'points'];

/** Sales and postings as they happen. The server sends them; a lost line is taken up where it broke. */
export function Live() {
  const { t } = useTranslation('insight');
  const { named } = useFormat();
  const [paused, setPaused] = useState(false);
  const [list, setList] = useState<Happening[]>([]);
  const stores = useQuery({ queryKey: ['stores', 'all'], queryFn: () => ok(api.GET('/v1/stores', { params: { query: { limit: 200 } } })) }).data?.items ?? [];

  useEffect(() => {
    if (paused) return;
    const source = new EventSource('/v1/live');
    const take = (event: MessageEvent<string>) => {
      const one = JSON.parse(event.data) as Happening;
      setList((now) => [one, ...now.filter((it) => it.position !== one.position)].slice(0, kept));
    };
    for (const kind of kinds) source.addEventListener(kind, take as EventListener);
    return () => source.close();
  }, [paused]);

  const storeName = (id: string | undefined) => {
    const store = stores.find((s) => s.id === id);
    return store && named(store);
  };
  return (
    <Section
      title={t('live.title')}
      note={paused ? t('live.paused') : undefined}
      extra={<button type="button" className={styles.pause} onClick={() => setPaused(!paused)}>{paused ? t('live.resume') : t('live.pause')}</button>}
    >
      {list.length === 0 ? <p className={styles.quiet}>{t('live.quiet')}</p> : (
        <ul className={styles.feed}>
          {list.map((it) => (
            <li key={it.position}>
              <When at={it.at} />
              <div>
                <div>
                  {it.member_id ? <Link className={styles.who} to={`/members/${it.member_id}`}>{it.member_name || it.member_number}</Link> : <span className={styles.who}>{t('live.nobody')}</span>}{' '}
                  {t(`live.kind.${it.kind}`)}
                </div>
                <p>
                  {storeName(it.store)}
                  {storeName(it.store) && it.total !== undefined && t('live.comma')}
                  {it.total !== undefined && it.currency && <Money amount={it.total} currency={it.currency} />}
                </p>
              </div>
              <div className={styles.points}>
                {it.points?.map((p, i) => <div key={i}><Amount amount={p.amount} currency={p.currency} signed /></div>)}
              </div>
            </li>
          ))}
        </ul>
      )}
    </Section>
  );
}
