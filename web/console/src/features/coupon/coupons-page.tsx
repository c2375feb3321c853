import { api, ok } from '@patron/shared/api/client.ts';
import type { CouponView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useTicketWords } from '@patron/shared/ticket/words.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { programQuery, useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { KeysetTable } from '../../ui/keyset-table.tsx';
import { Section } from '../../ui/section.tsx';
import { Pages } from './pages.tsx';
import { tones } from './words.ts';

/** All coupons, the newest first. */
export default function CouponsPage() {
  const { t } = useTranslation('coupon');
  const { named, count } = useFormat();
  const words = useTicketWords(useQuery(programQuery).data?.currency ?? 'CNY');
  const navigate = useNavigate();
  const add = useCan()('rules.write') && <Button type="primary" icon={<Icon name="plus" size={18} />} onClick={() => void navigate('/coupons/new')}>{t('add')}</Button>;
  return (
    <Page title={t('menu')} actions={add}>
      <Pages />
      <Section>
        <KeysetTable<CouponView>
          name="coupons"
          queryKey={['coupons']}
          fetch={(cursor) => ok(api.GET('/v1/coupons', { params: { query: { cursor, limit: 50 } } }))}
          rowKey={(c) => c.id}
          to={(c) => `/coupons/${c.id}`}
          empty={<Blank drawing="coupon" title={t('empty.title')} text={t('empty.text')} action={add} />}
          columns={[
            { key: 'name', title: t('field.name'), render: (_, c) => <><Link to={`/coupons/${c.id}`}>{named(c) || c.code}</Link><div className="quiet">{words.say(c)}</div></> },
            { key: 'state', title: t('field.state'), width: 110, near: true, render: (_, c) => <StatusTag tone={tones[c.state]}>{t(`state.${c.state}`)}</StatusTag> },
            { key: 'issued', title: t('field.issued'), align: 'right', render: (_, c) => (c.shared_code ? '–' : count(c.counts.issued)) },
            { key: 'used', title: t('field.used'), align: 'right', render: (_, c) => count(c.counts.used) },
            { key: 'off', title: t('field.off'), align: 'right', render: (_, c) => words.money(c.counts.off) },
            { key: 'left', title: t('field.left'), align: 'right', render: (_, c) => (c.counts.stock_left !== undefined ? count(c.counts.stock_left) : c.counts.uses_left !== undefined ? count(c.counts.uses_left) : t('noBound')) },
            { key: 'until', title: t('field.until'), align: 'right', width: 150, render: (_, c) => (c.until ? <When at={c.until} as="deadline" /> : t('noEnd')) },
          ]}
        />
      </Section>
    </Page>
  );
}
