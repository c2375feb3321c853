import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { Form, Input, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { useFilters } from '../../ui/filters.ts';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { SearchField } from '../../ui/search-field.tsx';

/** Whether a place is open. */
export function OpenState({ open }: { open: boolean }) {
  const { t } = useTranslation('program');
  return open ? <StatusTag tone="success">{t('places.open')}</StatusTag> : <StatusTag tone="plain" icon="lock">{t('places.closed')}</StatusTag>;
}

export const placeFilters = ['q', 'state', 'store', 'merchant'] as const;
type Filters = ReturnType<typeof useFilters<(typeof placeFilters)[number]>>;

/** The filters that all places have. */
export function PlaceFilters({ filters, label }: { filters: Filters; label: string }) {
  const { t } = useTranslation('program');
  return (
    <>
      <SearchField value={filters.values.q ?? ''} label={label} onChange={(q) => filters.set({ q })} />
      <Select
        allowClear
        style={{ width: 140 }}
        placeholder={t('places.state')}
        aria-label={t('places.state')}
        value={filters.values.state}
        onChange={(state: string | undefined) => filters.set({ state })}
        options={[{ value: 'open', label: t('places.open') }, { value: 'closed', label: t('places.closed') }]}
      />
    </>
  );
}

export const stateOf = (value: string | undefined): 'open' | 'closed' | undefined => (value === 'open' || value === 'closed' ? value : undefined);

/** The two names, of which one is enough. */
export function NameFields() {
  const { t } = useTranslation('program');
  return (
    <>
      <Form.Item
        name="name_zh"
        label={t('field.nameZh')}
        dependencies={['name_en']}
        rules={[({ getFieldValue }) => ({ validator: (_, zh?: string) => (zh?.trim() || (getFieldValue('name_en') as string | undefined)?.trim() ? Promise.resolve() : Promise.reject(new Error(t('field.nameNeeded')))) })]}
      >
        <Input maxLength={200} lang="zh-CN" />
      </Form.Item>
      <Form.Item name="name_en" label={t('field.nameEn')} extra={t('field.nameHelp')}><Input maxLength={200} lang="en" /></Form.Item>
    </>
  );
}

/** A code, which is fixed once it is given. */
export function CodeField({ fixed, help }: { fixed: boolean; help: string }) {
  const { t } = useTranslation('program');
  return (
    <Form.Item name="code" label={t('field.code')} extra={fixed ? t('field.codeFixed') : help} rules={[{ required: true, whitespace: true, message: t('field.codeNeeded') }]}>
      <Input maxLength={40} disabled={fixed} autoComplete="off" spellCheck={false} />
    </Form.Item>
  );
}

interface Turn<P> {
  place: P;
  open: boolean;
}

/** Closing and opening again: asks, says what follows, and shows a refusal where the question stands. */
export function useTurn<P extends { open: boolean }>(write: { mutate: (turn: Turn<P>, then: { onSuccess: () => void }) => void; isPending: boolean; error: unknown; reset: () => void }, nameOf: (place: P) => string, what: 'store' | 'till' | 'merchant') {
  const { t } = useTranslation('program');
  const [place, setPlace] = useState<P>();
  const closing = place?.open ?? false;
  const leave = () => {
    setPlace(undefined);
    write.reset();
  };
  return {
    ask: setPlace,
    dialog: (
      <ConfirmDialog
        open={place !== undefined}
        title={place ? t(closing ? 'turn.closeTitle' : 'turn.openTitle', { name: nameOf(place) }) : ''}
        change={[{ label: t('places.state'), before: t(closing ? 'places.open' : 'places.closed'), after: t(closing ? 'places.closed' : 'places.open') }]}
        act={t(closing ? 'turn.close' : 'turn.open')}
        cancel={t('turn.cancel')}
        danger={closing}
        pending={write.isPending}
        error={write.error}
        onOk={() => place && write.mutate({ place, open: !place.open }, { onSuccess: leave })}
        onCancel={leave}
      >
        <p className="lead">{t(`turn.${closing ? 'closing' : 'opening'}.${what}`)}</p>
      </ConfirmDialog>
    ),
  };
}
