import { api, ok } from '@patron/shared/api/client.ts';
import type { ProgramStoreView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Button, Form, Input } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useMerchants } from '../../frame/lookups.ts';
import { useUses } from '../../frame/me.ts';
import { useFilters } from '../../ui/filters.ts';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { KeysetTable, type KeysetColumn } from '../../ui/keyset-table.tsx';
import { MerchantSelect } from '../../ui/place-select.tsx';
import { CodeField, NameFields, OpenState, PlaceFilters, placeFilters, stateOf, useTurn } from './place-parts.tsx';
import { PlacesPage } from './places-page.tsx';
import { ZoneSelect } from './zone-select.tsx';

const touched = [['stores'], ['program']];

/** The stores, each with the code by which its guests join. */
export default function StoresPage() {
  const { t } = useTranslation('program');
  const { named } = useFormat();
  const uses = useUses();
  const { list: merchants, nameOf: merchantOf } = useMerchants();
  const filters = useFilters(placeFilters);
  const f = filters.values;
  const query = { q: f.q, state: stateOf(f.state), merchant: f.merchant };
  const [edited, setEdited] = useState<ProgramStoreView | 'new'>();
  const turn = useTurn(
    useWrite(({ place, open }: { place: ProgramStoreView; open: boolean }, key) => ok(api.PATCH('/v1/stores/{id}', { body: { open }, params: { path: { id: place.id }, header: { 'Idempotency-Key': key } } })), { invalidates: touched }),
    named,
    'store',
  );
  const columns: KeysetColumn<ProgramStoreView>[] = [
    { key: 'name', title: t('field.store'), render: (_, s) => <><button type="button" className="word" onClick={() => setEdited(s)}>{named(s)}</button><div className="quiet">{s.code}</div></> },
    ...(merchants.length > 1 ? [{ key: 'merchant', title: t('field.merchant'), render: (_: unknown, s: ProgramStoreView) => merchantOf(s.merchant) }] : []),
    { key: 'address', title: t('field.address'), render: (_, s) => <span style={{ whiteSpace: 'normal', display: 'block', maxWidth: 320 }}>{s.address}</span> },
    { key: 'zone', title: t('field.zone'), optional: true, render: (_, s) => s.zone ?? t('stores.zoneOfProgram') },
    { key: 'state', title: t('places.state'), render: (_, s) => <OpenState open={s.open} /> },
    {
      key: 'act',
      title: t('places.act'),
      render: (_, s) => (
        <span style={{ display: 'inline-flex', gap: 16 }}>
          {uses('portal') && s.open && <Link to={`/join-code?store=${encodeURIComponent(s.code)}`}>{t('join.menu')}</Link>}
          <Link to={`/stores/tills?store=${encodeURIComponent(s.id)}`}>{t('tills.menu')}</Link>
          <button type="button" className="word" style={{ padding: 0 }} onClick={() => turn.ask(s)}>{t(s.open ? 'turn.close' : 'turn.open')}</button>
        </span>
      ),
    },
  ];
  const add = <Button type="primary" onClick={() => setEdited('new')}>{t('stores.add')}</Button>;
  return (
    <PlacesPage actions={add}>
      <KeysetTable<ProgramStoreView>
        name="stores"
        queryKey={['stores', query]}
        fetch={(cursor) => ok(api.GET('/v1/stores', { params: { query: { ...query, cursor, limit: 50 } } }))}
        columns={columns}
        rowKey={(s) => s.id}
        filtered={filters.active}
        onClear={filters.clear}
        empty={<Blank drawing="members" title={t('stores.none')} text={t('stores.noneText')} action={<Button onClick={() => setEdited('new')}>{t('stores.add')}</Button>} />}
        filters={<PlaceFilters filters={filters} label={t('stores.search')} />}
      />
      <EditStore store={edited} onClose={() => setEdited(undefined)} />
      {turn.dialog}
    </PlacesPage>
  );
}

interface Values {
  merchant: string;
  code: string;
  name_zh?: string;
  name_en?: string;
  zone?: string;
  address?: string;
}

function EditStore({ store, onClose }: { store: ProgramStoreView | 'new' | undefined; onClose: () => void }) {
  const { t } = useTranslation('program');
  const { list: merchants } = useMerchants();
  const old = store === 'new' ? undefined : store;
  const save = useWrite(
    ({ id, values }: { id: string | undefined; values: Values }, key) => {
      const header = { 'Idempotency-Key': key };
      const texts = { name_zh: values.name_zh?.trim() || undefined, name_en: values.name_en?.trim() || undefined, zone: values.zone ?? '', address: values.address?.trim() ?? '' };
      if (id) return ok(api.PATCH('/v1/stores/{id}', { body: texts, params: { path: { id }, header } }));
      return ok(api.POST('/v1/stores', { body: { ...texts, zone: texts.zone || undefined, merchant: values.merchant, code: values.code.trim() }, params: { header } }));
    },
    { invalidates: touched, onSuccess: onClose },
  );
  return (
    <FormDrawer<Values>
      open={store !== undefined}
      title={old ? t('stores.edit') : t('stores.add')}
      act={old ? t('places.save') : t('stores.add')}
      first={old ? 'name_zh' : merchants.length > 1 ? 'merchant' : 'code'}
      initial={old ?? { merchant: merchants.length === 1 ? merchants[0]!.id : '', code: '' }}
      write={save}
      onSave={(values) => save.mutate({ id: old?.id, values })}
      onClose={onClose}
    >
      {merchants.length > 1 && (
        <Form.Item name="merchant" label={t('field.merchant')} rules={[{ required: true, message: t('field.merchantNeeded') }]}>
          <MerchantSelect open="only" disabled={old !== undefined} />
        </Form.Item>
      )}
      {merchants.length <= 1 && <Form.Item name="merchant" hidden><Input /></Form.Item>}
      <CodeField fixed={old !== undefined} help={t('stores.codeHelp')} />
      <NameFields />
      <Form.Item name="address" label={t('field.address')}><Input.TextArea autoSize={{ minRows: 2, maxRows: 4 }} maxLength={500} /></Form.Item>
      <Form.Item name="zone" label={t('field.zone')} extra={t('stores.zoneHelp')}><ZoneSelect allowClear placeholder={t('stores.zoneOfProgram')} /></Form.Item>
    </FormDrawer>
  );
}
