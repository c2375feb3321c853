import { api, ok } from '@patron/shared/api/client.ts';
import type { PriceItem, PriceListView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { decimalsOf, symbolOf } from '@patron/shared/format/format.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { Money } from '@patron/shared/ui/money.tsx';
import { App, Button, Form, Input, InputNumber, Select, Upload } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useFilters } from '../../ui/filters.ts';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { KeysetTable } from '../../ui/keyset-table.tsx';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { Section } from '../../ui/section.tsx';
import { readPrices } from './csv.ts';

interface Values {
  of: 'sku' | 'brand' | 'category';
  ref: string;
  how: 'price' | 'percent';
  price?: number | null;
  percent?: number | null;
}

/** So many prices go in one request. */
const chunk = 1000;

const refOf = (i: PriceItem) => i.sku ?? i.brand ?? i.category ?? '';
const kindOf = (i: PriceItem) => (i.sku ? 'sku' : i.brand ? 'brand' : 'category');

/** What a list says of products, brands and categories. */
export function Items({ list, may }: { list: PriceListView; may: boolean }) {
  const { t } = useTranslation('price');
  const { count, language } = useFormat();
  const { message } = App.useApp();
  const filters = useFilters(['q'] as const);
  const [adding, setAdding] = useState<PriceItem | 'new'>();
  const unit = 10 ** decimalsOf(list.money_currency);
  const params = (key: string) => ({ path: { id: list.id }, header: { 'Idempotency-Key': key } });
  const put = useWrite(
    async (items: PriceItem[], key) => {
      for (let i = 0; i < items.length; i += chunk) await ok(api.PUT('/v1/price-lists/{id}/items', { body: { items: items.slice(i, i + chunk) }, params: params(`${key}-${i}`) }));
      return items.length;
    },
    {
      invalidates: [['prices']],
      onSuccess: (n) => {
        setAdding(undefined);
        void message.success(t('items.written', { count: n, n: count(n) }));
      },
    },
  );
  const drop = useWrite((i: PriceItem, key) => ok(api.POST('/v1/price-lists/{id}/items/remove', { body: { items: [{ [kindOf(i)]: refOf(i) }] }, params: params(key) })), { invalidates: [['prices']] });
  const load = async (file: File) => {
    const read = readPrices(await file.text(), unit);
    if ('wrong' in read) void message.error(t('items.wrong', { line: read.wrong }), 8);
    else put.mutate(read.items);
  };
  const add = may && <Button type="primary" icon={<Icon name="plus" size={18} />} onClick={() => setAdding('new')}>{t('items.add')}</Button>;
  const edited = adding === 'new' ? undefined : adding;
  return (
    <Section title={t('items.title')}>
      {!adding && put.error && <ProblemAlert error={put.error} />}
      {drop.error && <ProblemAlert error={drop.error} />}
      <KeysetTable<PriceItem>
        name="price-items"
        queryKey={['prices', 'items', list.id, filters.values]}
        fetch={(cursor) => ok(api.GET('/v1/price-lists/{id}/items', { params: { path: { id: list.id }, query: { ...filters.values, cursor, limit: 50 } } }))}
        rowKey={(i) => `${kindOf(i)} ${refOf(i)}`}
        filtered={filters.active}
        onClear={filters.clear}
        empty={<Blank drawing="coupon" title={t('items.empty')} text={t('items.emptyText')} action={add} />}
        filters={<Input.Search key={filters.values.q ?? ''} allowClear style={{ width: 220 }} placeholder={t('items.find')} aria-label={t('items.find')} defaultValue={filters.values.q} onSearch={(q) => filters.set({ q: q.trim() })} />}
        actions={may && (
          <>
            <Upload accept=".csv,.txt" showUploadList={false} beforeUpload={(file) => { void load(file); return false; }}>
              <Button icon={<Icon name="upload" size={18} />} loading={put.isPending && !adding} title={t('items.fileHelp')}>{t('items.file')}</Button>
            </Upload>
            {add}
          </>
        )}
        columns={[
          { key: 'ref', title: t('items.of'), render: (_, i) => (i.sku ? <Link to={`/products/${encodeURIComponent(i.sku)}`}>{i.sku}</Link> : <>{refOf(i)} <span className="quiet">{t(`items.kind.${kindOf(i)}`)}</span></>) },
          { key: 'price', title: t('items.price'), align: 'right', near: true, render: (_, i) => (i.price ? <Money amount={i.price} currency={list.money_currency} /> : t('items.off', { percent: (i.percent ?? 0) / 100 })) },
          ...(may ? [{ key: 'act', title: '', align: 'right' as const, width: 170, render: (_: unknown, i: PriceItem) => (
            <>
              <Button type="text" aria-label={t('items.changeOne', { ref: refOf(i) })} onClick={() => setAdding(i)}>{t('items.change')}</Button>
              <Button type="text" danger aria-label={t('items.removeOne', { ref: refOf(i) })} loading={drop.isPending && drop.variables === i} onClick={() => drop.mutate(i)}>{t('items.remove')}</Button>
            </>
          ) }] : []),
        ]}
      />
      <FormDrawer<Values>
        open={adding !== undefined}
        title={edited ? t('items.changeOne', { ref: refOf(edited) }) : t('items.add')}
        act={edited ? t('save') : t('items.add')}
        first="ref"
        initial={edited ? { of: kindOf(edited), ref: refOf(edited), how: edited.price ? 'price' : 'percent', price: edited.price && edited.price / unit, percent: edited.percent && edited.percent / 100 } : { of: 'sku', ref: '', how: 'price' }}
        write={put}
        onSave={(v) => put.mutate([{ [v.of]: v.ref.trim(), ...(v.of === 'sku' && v.how === 'price' ? { price: Math.round((v.price ?? 0) * unit) } : { percent: Math.round((v.percent ?? 0) * 100) }) }])}
        onClose={() => setAdding(undefined)}
      >
        <Form.Item name="of" label={t('items.what')}><Select disabled={!!edited} options={(['sku', 'brand', 'category'] as const).map((value) => ({ value, label: t(`items.kind.${value}`) }))} /></Form.Item>
        <Form.Item name="ref" label={t('items.ref')} extra={t('items.refHelp')} rules={[{ required: true, whitespace: true, message: t('needed') }]}><Input maxLength={200} autoComplete="off" disabled={!!edited} /></Form.Item>
        <Form.Item noStyle dependencies={['of', 'how']}>
          {({ getFieldValue }) => {
            const one = getFieldValue('of') === 'sku';
            return (
              <>
                {one && <Form.Item name="how" label={t('items.how')}><Select options={(['price', 'percent'] as const).map((value) => ({ value, label: t(`items.by.${value}`) }))} /></Form.Item>}
                {one && getFieldValue('how') === 'price'
                  ? <Form.Item name="price" label={t('items.price')} extra={t('items.priceHelp')} rules={[{ required: true, message: t('needed') }]}><InputNumber<number> min={1 / unit} precision={decimalsOf(list.money_currency)} prefix={symbolOf(list.money_currency, language)} style={{ width: '100%' }} /></Form.Item>
                  : <Form.Item name="percent" label={t('items.percent')} rules={[{ required: true, message: t('needed') }]}><InputNumber<number> min={0.01} max={100} precision={2} suffix="%" style={{ width: '100%' }} /></Form.Item>}
              </>
            );
          }}
        </Form.Item>
      </FormDrawer>
    </Section>
  );
}
