import { api, ok } from '@patron/shared/api/client.ts';
import type { StaffMeView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { useQuery } from '@tanstack/react-query';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { storesQuery } from '../../frame/lookups.ts';
import { useCan } from '../../frame/me.ts';
import { ErrorState } from '../../ui/states.tsx';
import { choosePlace } from './device.ts';
import styles from './till.module.css';

/** Which till is this device? Asked once. */
export function Choose({ me }: { me: StaffMeView }) {
  const { t } = useTranslation('till');
  const { named } = useFormat();
  const may = useCan()('program.manage');
  const stores = useQuery(storesQuery);
  const tills = useQuery({ queryKey: ['tills', 'all'], queryFn: () => ok(api.GET('/v1/tills', { params: { query: { limit: 200 } } })) });
  const error = stores.error ?? tills.error;
  if (error) return <ErrorState error={error} retry={() => void Promise.all([stores.refetch(), tills.refetch()])} />;
  if (!stores.data || !tills.data) return null;
  const mine = (stores.data.items ?? []).filter((s) => s.open && (!me.stores?.length || me.stores.includes(s.id)));
  const places = mine.map((store) => ({ store, tills: (tills.data.items ?? []).filter((x) => x.open && x.store === store.id) })).filter((p) => p.tills.length > 0);
  return (
    <main className={styles.choose}>
      <h1>{t('choose.title')}</h1>
      <p>{t('choose.text')}</p>
      {places.length === 0 && <Blank drawing="result" title={t('choose.none')} text={t(may ? 'choose.noneMine' : 'choose.noneText')} action={<Link to={may ? '/stores/tills' : '/'} className={styles.button}>{t(may ? 'choose.add' : 'choose.console')}</Link>} />}
      {places.map(({ store, tills: list }) => (
        <section key={store.id} aria-label={named(store)}>
          <h2>{named(store)}</h2>
          <div className={styles.chooseTills}>
            {list.map((x) => (
              <button
                key={x.id} type="button" className={styles.button}
                onClick={() => choosePlace({ store: store.id, storeCode: store.code, store_en: store.name_en, store_zh: store.name_zh, address: store.address ?? '', till: x.code })}
              >
                {x.code}
              </button>
            ))}
          </div>
        </section>
      ))}
    </main>
  );
}
