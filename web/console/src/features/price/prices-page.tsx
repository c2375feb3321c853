import { api, ok } from '@patron/shared/api/client.ts';
import type { PriceListView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { KeysetTable } from '../../ui/keyset-table.tsx';
import { Section } from '../../ui/section.tsx';
import { useStandings } from './audience.ts';
import { State } from './state.tsx';

/** All price lists, the newest first. */
export default function PricesPage() {
  const { t } = useTranslation('price');
  const { named, count } = useFormat();
  const standings = useStandings();
  const navigate = useNavigate();
  const add = useCan()('rules.write') && <Button type="primary" icon={<Icon name="plus" size={18} />} onClick={() => void navigate('/prices/new')}>{t('add')}</Button>;
  const who = (l: PriceListView) => {
    const said = [
      ...(l.tiers ?? []).map((code) => standings.tiers.find((o) => o.value === code)?.label ?? code),
      ...(l.plans ?? []).map((code) => standings.plans.find((o) => o.value === code)?.label ?? code),
    ].join(t('comma')) || t('everybody');
    return l.audience ? t('withCondition', { who: said }) : said;
  };
  return (
    <Page title={t('menu')} actions={add}>
      <Section>
        <p className="lead">{t('lead')}</p>
        <KeysetTable<PriceListView>
          name="prices"
          queryKey={['prices']}
          fetch={(cursor) => ok(api.GET('/v1/price-lists', { params: { query: { cursor, limit: 50 } } }))}
          rowKey={(l) => l.id}
          to={(l) => `/prices/${l.code}`}
          empty={<Blank drawing="coupon" title={t('empty.title')} text={t('empty.text')} action={add} />}
          columns={[
            { key: 'name', title: t('field.name'), render: (_, l) => <Link to={`/prices/${l.code}`}>{named(l) || l.code}</Link> },
            { key: 'state', title: t('field.state'), width: 110, near: true, render: (_, l) => <State state={l.state} /> },
            { key: 'who', title: t('field.who'), render: (_, l) => who(l) },
            { key: 'items', title: t('field.items'), align: 'right', render: (_, l) => count(l.items) },
            { key: 'from', title: t('field.from'), align: 'right', optional: true, render: (_, l) => (l.from ? <When at={l.from} /> : t('atOnce')) },
            { key: 'until', title: t('field.until'), align: 'right', width: 150, render: (_, l) => (l.until ? <When at={l.until} as="deadline" /> : t('noEnd')) },
          ]}
        />
      </Section>
    </Page>
  );
}
