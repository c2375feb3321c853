import { api, ok } from '@patron/shared/api/client.ts';
import type { ProgramMerchantView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useFilters } from '../../ui/filters.ts';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { KeysetTable, type KeysetColumn } from '../../ui/keyset-table.tsx';
import { CodeField, NameFields, OpenState, PlaceFilters, placeFilters, stateOf, useTurn } from './place-parts.tsx';
import { PlacesPage } from './places-page.tsx';

const touched = [['merchants'], ['program']];

/** The companies that take part. Most programmes have one. */
export default function MerchantsPage() {
  const { t } = useTranslation('program');
  const { named } = useFormat();
  const filters = useFilters(placeFilters);
  const query = { q: filters.values.q, state: stateOf(filters.values.state) };
  const [edited, setEdited] = useState<ProgramMerchantView | 'new'>();
  const turn = useTurn(
    useWrite(({ place, open }: { place: ProgramMerchantView; open: boolean }, key) => ok(api.PATCH('/v1/merchants/{id}', { body: { open }, params: { path: { id: place.id }, header: { 'Idempotency-Key': key } } })), { invalidates: touched }),
    named,
    'merchant',
  );
  const columns: KeysetColumn<ProgramMerchantView>[] = [
    { key: 'name', title: t('field.merchant'), render: (_, m) => <><button type="button" className="word" onClick={() => setEdited(m)}>{named(m)}</button><div className="quiet">{m.code}</div></> },
    { key: 'state', title: t('places.state'), render: (_, m) => <OpenState open={m.open} /> },
    {
      key: 'act',
      title: t('places.act'),
      render: (_, m) => (
        <span style={{ display: 'inline-flex', gap: 16 }}>
          <Link to={`/stores?merchant=${encodeURIComponent(m.id)}`}>{t('stores.menu')}</Link>
          <button type="button" className="word" style={{ padding: 0 }} onClick={() => turn.ask(m)}>{t(m.open ? 'turn.close' : 'turn.open')}</button>
        </span>
      ),
    },
  ];
  return (
    <PlacesPage actions={<Button type="primary" onClick={() => setEdited('new')}>{t('merchants.add')}</Button>}>
      <KeysetTable<ProgramMerchantView>
        name="merchants"
        queryKey={['merchants', query]}
        fetch={(cursor) => ok(api.GET('/v1/merchants', { params: { query: { ...query, cursor, limit: 50 } } }))}
        columns={columns}
        rowKey={(m) => m.id}
        filtered={filters.active}
        onClear={filters.clear}
        empty={<Blank drawing="members" title={t('merchants.none')} action={<Button onClick={() => setEdited('new')}>{t('merchants.add')}</Button>} />}
        filters={<PlaceFilters filters={filters} label={t('merchants.search')} />}
      />
      <EditMerchant merchant={edited} onClose={() => setEdited(undefined)} />
      {turn.dialog}
    </PlacesPage>
  );
}

interface Values {
  code: string;
  name_zh?: string;
  name_en?: string;
}

function EditMerchant({ merchant, onClose }: { merchant: ProgramMerchantView | 'new' | undefined; onClose: () => void }) {
  const { t } = useTranslation('program');
  const old = merchant === 'new' ? undefined : merchant;
  const save = useWrite(
    ({ id, values }: { id: string | undefined; values: Values }, key) => {
      const header = { 'Idempotency-Key': key };
      const names = { name_zh: values.name_zh?.trim() || undefined, name_en: values.name_en?.trim() || undefined };
      if (id) return ok(api.PATCH('/v1/merchants/{id}', { body: names, params: { path: { id }, header } }));
      return ok(api.POST('/v1/merchants', { body: { ...names, code: values.code.trim() }, params: { header } }));
    },
    { invalidates: touched, onSuccess: onClose },
  );
  return (
    <FormDrawer<Values> open={merchant !== undefined} title={old ? t('merchants.edit') : t('merchants.add')} act={old ? t('places.save') : t('merchants.add')} first={old ? 'name_zh' : 'code'} initial={old ?? { code: '' }} write={save} onSave={(values) => save.mutate({ id: old?.id, values })} onClose={onClose}>
      <CodeField fixed={old !== undefined} help={t('merchants.codeHelp')} />
      <NameFields />
    </FormDrawer>
  );
}
