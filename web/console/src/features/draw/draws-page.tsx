import { api, ok } from '@patron/shared/api/client.ts';
import type { DrawView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { KeysetTable } from '../../ui/keyset-table.tsx';
import { Section } from '../../ui/section.tsx';
import { useAmountText } from '../../ui/use-amount-text.ts';
import { Pages, percentOf, tones } from './words.tsx';

/** All draws, the newest first. */
export default function DrawsPage() {
  const { t } = useTranslation('draw');
  const { named } = useFormat();
  const amount = useAmountText();
  const navigate = useNavigate();
  const add = useCan()('rules.write') && <Button type="primary" icon={<Icon name="plus" size={18} />} onClick={() => void navigate('/draws/new')}>{t('add')}</Button>;
  return (
    <Page title={t('menu')} actions={add}>
      <Pages />
      <Section>
        <KeysetTable<DrawView>
          name="draws"
          queryKey={['draws']}
          fetch={(cursor) => ok(api.GET('/v1/draws', { params: { query: { cursor, limit: 50 } } }))}
          rowKey={(d) => d.id}
          to={(d) => `/draws/${d.id}`}
          empty={<Blank drawing="coupon" title={t('empty.title')} text={t('empty.text')} action={add} />}
          columns={[
            { key: 'name', title: t('field.name'), render: (_, d) => <><Link to={`/draws/${d.id}`}>{named(d) || d.code}</Link><div className="quiet">{t(`look.${d.look}`)}</div></> },
            { key: 'price', title: t('field.price'), render: (_, d) => [d.free_per_day ? t('freeADay', { count: d.free_per_day }) : '', d.price?.amount && d.price.currency ? amount(d.price.amount, d.price.currency) : ''].filter(Boolean).join(t('then')) },
            { key: 'win', title: t('field.wins'), align: 'right', width: 130, render: (_, d) => percentOf(1_000_000 - d.nothing_odds) },
            { key: 'state', title: t('field.state'), width: 110, render: (_, d) => <StatusTag tone={tones[d.state]}>{t(`state.${d.state}`)}</StatusTag> },
            { key: 'until', title: t('field.until'), align: 'right', width: 150, render: (_, d) => (d.until ? <When at={d.until} as="deadline" /> : t('noEnd')) },
          ]}
        />
      </Section>
    </Page>
  );
}
