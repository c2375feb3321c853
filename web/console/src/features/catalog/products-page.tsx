import { api, ok } from '@patron/shared/api/client.ts';
import type { CatalogProductView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { Money } from '@patron/shared/ui/money.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { Button, Input, Select } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { useFilters } from '../../ui/filters.ts';
import { KeysetTable, type KeysetColumn } from '../../ui/keyset-table.tsx';
import { Section } from '../../ui/section.tsx';
import { useCategories } from '../../frame/categories.ts';

const pathOf = (sku: string) => `/products/${encodeURIComponent(sku)}`;

/** All products: those that were entered, and those that sales made known. */
export default function ProductsPage() {
  const { t } = useTranslation('catalog');
  const { named } = useFormat();
  const can = useCan();
  const navigate = useNavigate();
  const categories = useCategories();
  const filters = useFilters(['q', 'category', 'brand'] as const);
  const f = filters.values;
  const columns: KeysetColumn<CatalogProductView>[] = [
    { key: 'name', title: t('name'), render: (_, p) => <Link to={pathOf(p.sku)}>{named(p) || p.sku}</Link> },
    { key: 'sku', title: t('sku'), render: (_, p) => p.sku },
    { key: 'category', title: t('category'), render: (_, p) => p.category && categories.nameOf(p.category) },
    { key: 'brand', title: t('brand'), render: (_, p) => p.brand },
    { key: 'state', title: t('state'), render: (_, p) => <ProductState product={p} /> },
    { key: 'changed', title: t('changed'), optional: true, render: (_, p) => <When at={p.changed_at} /> },
    { key: 'cost', title: t('cost'), optional: true, align: 'right', render: (_, p) => p.cost && <Money {...p.cost} /> },
    { key: 'price', title: t('price'), align: 'right', render: (_, p) => p.price && <Money {...p.price} /> },
  ];
  return (
    <Page title={t('menu')}>
      <Section>
        <KeysetTable<CatalogProductView>
          name="products"
          queryKey={['products', f]}
          fetch={(cursor) => ok(api.GET('/v1/products', { params: { query: { ...f, cursor, limit: 50 } } }))}
          columns={columns}
          rowKey={(p) => p.sku}
          to={(p) => pathOf(p.sku)}
          filtered={filters.active}
          onClear={filters.clear}
          empty={<Blank drawing="result" title={t('empty.title')} text={t('empty.text')} />}
          filters={
            <>
              <Input.Search key={`q${f.q ?? ''}`} allowClear style={{ width: 240 }} placeholder={t('filter.q')} aria-label={t('filter.q')} defaultValue={f.q} onSearch={(q) => filters.set({ q: q.trim() })} />
              <Select allowClear style={{ minWidth: 180 }} placeholder={t('category')} aria-label={t('category')} showSearch={{ optionFilterProp: 'label' }} value={f.category} options={categories.options} onChange={(category?: string) => filters.set({ category })} />
              <Input.Search key={`b${f.brand ?? ''}`} allowClear style={{ width: 160 }} placeholder={t('brand')} aria-label={t('brand')} defaultValue={f.brand} onSearch={(brand) => filters.set({ brand: brand.trim() })} />
            </>
          }
          actions={can('lists.import') && <Button icon={<Icon name="upload" size={18} />} onClick={() => void navigate('/imports?new=products')}>{t('import')}</Button>}
        />
      </Section>
    </Page>
  );
}

/** Whether it is sold now, and whether anybody has looked at it yet. */
export function ProductState({ product }: { product: CatalogProductView }) {
  const { t } = useTranslation('catalog');
  if (!product.active) return <StatusTag tone="plain">{t('states.off')}</StatusTag>;
  return product.learned ? <StatusTag tone="info" icon="info">{t('states.learned')}</StatusTag> : <StatusTag tone="success">{t('states.on')}</StatusTag>;
}
