import { api, ok } from '@patron/shared/api/client.ts';
import type { CatalogProductView, ChangeProductPatchInBody } from '@patron/shared/api/schema.d.ts';
import { decimalsOf } from '@patron/shared/format/format.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useQuery } from '@tanstack/react-query';
import { Form, Input, InputNumber, Select, Switch } from 'antd';
import { useTranslation } from 'react-i18next';
import { programQuery } from '../../frame/me.ts';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { useCategories } from '../../frame/categories.ts';

interface Values {
  name_zh: string;
  name_en: string;
  category?: string;
  brand: string;
  price?: number | null;
  cost?: number | null;
  active: boolean;
}

/** Changes a product. Price and cost can be changed, not taken away: the API knows no empty ones. */
export function EditProduct({ product: p, open, onClose }: { product: CatalogProductView; open: boolean; onClose: () => void }) {
  const { t } = useTranslation('catalog');
  const categories = useCategories();
  const settings = useQuery(programQuery).data;
  const currency = p.price?.currency ?? p.cost?.currency ?? settings?.currency ?? 'CNY';
  const unit = 10 ** decimalsOf(currency);
  const save = useWrite(
    (body: ChangeProductPatchInBody, key) => ok(api.PATCH('/v1/products/{sku}', { body, params: { path: { sku: p.sku }, header: { 'Idempotency-Key': key } } })),
    { invalidates: [['product', p.sku], ['products']], onSuccess: onClose },
  );
  const money = (typed: number | null | undefined) => (typed === null || typed === undefined ? undefined : { amount: Math.round(typed * unit), currency });
  const amount = (name: 'price' | 'cost', had: boolean) => (
    <Form.Item name={name} label={t('in', { what: t(name), currency })} rules={[{ required: had, message: t('edit.amountNeeded') }]}>
      <InputNumber<number> min={0} precision={decimalsOf(currency)} style={{ width: '100%' }} />
    </Form.Item>
  );
  return (
    <FormDrawer<Values>
      open={open}
      title={t('edit.title', { sku: p.sku })}
      act={t('edit.act')}
      first="name_zh"
      initial={{ name_zh: p.name_zh, name_en: p.name_en, category: p.category || undefined, brand: p.brand, price: p.price && p.price.amount / unit, cost: p.cost && p.cost.amount / unit, active: p.active }}
      write={save}
      onSave={(v) => save.mutate({ name_zh: v.name_zh.trim(), name_en: v.name_en.trim(), category: v.category ?? '', brand: v.brand.trim(), price: money(v.price), cost: money(v.cost), active: v.active })}
      onClose={onClose}
    >
      <Form.Item name="name_zh" label={t('nameZh')}><Input maxLength={200} autoComplete="off" /></Form.Item>
      <Form.Item name="name_en" label={t('nameEn')}><Input maxLength={200} autoComplete="off" /></Form.Item>
      <Form.Item name="category" label={t('category')}><Select allowClear placeholder={t('none')} showSearch={{ optionFilterProp: 'label' }} options={categories.options} /></Form.Item>
      <Form.Item name="brand" label={t('brand')}><Input maxLength={100} autoComplete="off" /></Form.Item>
      {amount('price', p.price !== undefined)}
      {amount('cost', p.cost !== undefined)}
      <Form.Item name="active" label={t('edit.active')} valuePropName="checked" extra={t('edit.activeHelp')}><Switch /></Form.Item>
    </FormDrawer>
  );
}
