import { api, ok } from '@patron/shared/api/client.ts';
import type { CatalogProductView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Money } from '@patron/shared/ui/money.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, Skeleton } from 'antd';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useParams } from 'react-router';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { Section } from '../../ui/section.tsx';
import { ErrorState, NotFoundState } from '../../ui/states.tsx';
import { useCategories } from '../../frame/categories.ts';
import { EditProduct } from './edit-product.tsx';
import styles from './product-page.module.css';
import { ProductState } from './products-page.tsx';

/** One product: what it is called, where it belongs, what it costs. */
export default function ProductPage() {
  const { t } = useTranslation('catalog');
  const { sku = '' } = useParams();
  const { named } = useFormat();
  const can = useCan();
  const [editing, setEditing] = useState(false);
  const one = useQuery({ queryKey: ['product', sku], queryFn: () => ok(api.GET('/v1/products/{sku}', { params: { path: { sku } } })) });
  const product = one.data;
  return (
    <Page
      title={product ? named(product) || sku : sku}
      crumbs={[{ to: '/products', title: t('menu') }]}
      actions={product && can('catalog.write') && <Button type="primary" onClick={() => setEditing(true)}>{t('edit.open')}</Button>}
    >
      <Section>
        {one.error?.status === 404 ? <NotFoundState /> : one.error ? <ErrorState error={one.error} retry={() => void one.refetch()} /> : !product ? <Skeleton active /> : <Facts product={product} />}
      </Section>
      {product && <EditProduct product={product} open={editing} onClose={() => setEditing(false)} />}
    </Page>
  );
}

function Facts({ product: p }: { product: CatalogProductView }) {
  const { t } = useTranslation('catalog');
  const categories = useCategories();
  const fact = (label: string, value: ReactNode) => <div key={label}><dt>{label}</dt><dd>{value || <span className="quiet">{t('none')}</span>}</dd></div>;
  return (
    <>
      {p.learned && <p className="lead">{t('learned')}</p>}
      <dl className={styles.facts}>
        {fact(t('sku'), p.sku)}
        {fact(t('state'), <ProductState product={p} />)}
        {fact(t('nameZh'), p.name_zh)}
        {fact(t('nameEn'), p.name_en)}
        {fact(t('category'), p.category && <Link to={`/products?category=${encodeURIComponent(p.category)}`}>{categories.nameOf(p.category)}</Link>)}
        {fact(t('brand'), p.brand && <Link to={`/products?brand=${encodeURIComponent(p.brand)}`}>{p.brand}</Link>)}
        {fact(t('price'), p.price && <Money {...p.price} />)}
        {fact(t('cost'), p.cost && <Money {...p.cost} />)}
        {fact(t('changed'), <When at={p.changed_at} />)}
      </dl>
    </>
  );
}
