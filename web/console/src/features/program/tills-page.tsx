import { api, ok } from '@patron/shared/api/client.ts';
import type { ProgramTillView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Button, Form } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useStores } from '../../frame/lookups.ts';
import { useFilters } from '../../ui/filters.ts';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { KeysetTable, type KeysetColumn } from '../../ui/keyset-table.tsx';
import { StoreSelect } from '../../ui/place-select.tsx';
import { CodeField, OpenState, PlaceFilters, placeFilters, stateOf, useTurn } from './place-parts.tsx';
import { PlacesPage } from './places-page.tsx';

const touched = [['tills'], ['program']];

/** The tills of all stores, or of one. */
export default function TillsPage() {
  const { t } = useTranslation('program');
  const { nameOf } = useStores();
  const filters = useFilters(placeFilters);
  const f = filters.values;
  const query = { q: f.q, state: stateOf(f.state), store: f.store };
  const [adding, setAdding] = useState(false);
  const called = (till: ProgramTillView) => t('tills.called', { store: nameOf(till.store), code: till.code });
  const turn = useTurn(
    useWrite(({ place, open }: { place: ProgramTillView; open: boolean }, key) => ok(api.PATCH('/v1/tills/{id}', { body: { open }, params: { path: { id: place.id }, header: { 'Idempotency-Key': key } } })), { invalidates: touched }),
    called,
    'till',
  );
  const columns: KeysetColumn<ProgramTillView>[] = [
    { key: 'code', title: t('tills.one'), render: (_, till) => <b>{till.code}</b> },
    { key: 'store', title: t('field.store'), render: (_, till) => nameOf(till.store) },
    { key: 'state', title: t('places.state'), render: (_, till) => <OpenState open={till.open} /> },
    { key: 'act', title: t('places.act'), render: (_, till) => <button type="button" className="word" style={{ padding: 0 }} onClick={() => turn.ask(till)}>{t(till.open ? 'turn.close' : 'turn.open')}</button> },
  ];
  return (
    <PlacesPage actions={<Button type="primary" onClick={() => setAdding(true)}>{t('tills.add')}</Button>}>
      <KeysetTable<ProgramTillView>
        name="tills"
        queryKey={['tills', query]}
        fetch={(cursor) => ok(api.GET('/v1/tills', { params: { query: { ...query, cursor, limit: 50 } } }))}
        columns={columns}
        rowKey={(till) => till.id}
        filtered={filters.active}
        onClear={filters.clear}
        empty={<Blank drawing="members" title={t('tills.none')} text={t('tills.noneText')} action={<Button onClick={() => setAdding(true)}>{t('tills.add')}</Button>} />}
        filters={
          <>
            <PlaceFilters filters={filters} label={t('tills.search')} />
            <StoreSelect allowClear style={{ width: 200 }} placeholder={t('field.store')} aria-label={t('field.store')} value={f.store} onChange={(store) => filters.set({ store: store as string | undefined })} />
          </>
        }
      />
      <AddTill open={adding} store={f.store} onClose={() => setAdding(false)} />
      {turn.dialog}
    </PlacesPage>
  );
}

interface Values {
  store?: string;
  code: string;
}

function AddTill({ open, store, onClose }: { open: boolean; store: string | undefined; onClose: () => void }) {
  const { t } = useTranslation('program');
  const add = useWrite((v: Values, key) => ok(api.POST('/v1/tills', { body: { store: v.store ?? '', code: v.code.trim() }, params: { header: { 'Idempotency-Key': key } } })), { invalidates: touched, onSuccess: onClose });
  return (
    <FormDrawer<Values> open={open} title={t('tills.add')} act={t('tills.add')} first={store ? 'code' : 'store'} initial={{ store, code: '' }} write={add} onSave={(values) => add.mutate(values)} onClose={onClose}>
      <Form.Item name="store" label={t('field.store')} rules={[{ required: true, message: t('field.storeNeeded') }]}><StoreSelect open="only" /></Form.Item>
      <CodeField fixed={false} help={t('tills.codeHelp')} />
    </FormDrawer>
  );
}
