import { api, ok } from '@patron/shared/api/client.ts';
import type { OfferView } from '@patron/shared/api/schema.d.ts';
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
import { Pages } from './pages.tsx';
import { tones, useOfferWords } from './words.ts';

/** All offers, the newest first. */
export default function OffersPage() {
  const { t } = useTranslation('offer');
  const { named } = useFormat();
  const words = useOfferWords();
  const navigate = useNavigate();
  const add = useCan()('rules.write') && <Button type="primary" icon={<Icon name="plus" size={18} />} onClick={() => void navigate('/offers/new')}>{t('add')}</Button>;
  return (
    <Page title={t('menu')} actions={add}>
      <Pages />
      <Section>
        <KeysetTable<OfferView>
          name="offers"
          queryKey={['offers']}
          fetch={(cursor) => ok(api.GET('/v1/offers', { params: { query: { cursor, limit: 50 } } }))}
          rowKey={(o) => o.id}
          to={(o) => `/offers/${o.id}`}
          empty={<Blank drawing="coupon" title={t('empty.title')} text={t('empty.text')} action={add} />}
          columns={[
            { key: 'name', title: t('field.name'), render: (_, o) => <><Link to={`/offers/${o.id}`}>{named(o) || o.code}</Link><div className="quiet">{words.goal(o.goal)}</div></> },
            { key: 'reward', title: t('field.reward'), render: (_, o) => words.reward(o.reward) },
            { key: 'delivery', title: t('field.delivery'), render: (_, o) => t(`delivery.${o.delivery}`) },
            { key: 'state', title: t('field.state'), width: 110, render: (_, o) => <StatusTag tone={tones[o.state]}>{t(`state.${o.state}`)}</StatusTag> },
            { key: 'until', title: t('field.until'), align: 'right', width: 150, render: (_, o) => (o.until ? <When at={o.until} as="deadline" /> : o.hours ? t('hours', { count: o.hours }) : t('noEnd')) },
          ]}
        />
      </Section>
    </Page>
  );
}
