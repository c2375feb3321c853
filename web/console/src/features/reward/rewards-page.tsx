import { api, ok } from '@patron/shared/api/client.ts';
import type { RewardView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { KeysetTable } from '../../ui/keyset-table.tsx';
import { Section } from '../../ui/section.tsx';
import { Pages } from './pages.tsx';
import styles from './reward.module.css';
import { tones, useRewardWords } from './words.ts';

/** The catalogue, the newest first. */
export default function RewardsPage() {
  const { t } = useTranslation('reward');
  const { named, count } = useFormat();
  const words = useRewardWords();
  const navigate = useNavigate();
  const add = useCan()('rules.write') && <Button type="primary" icon={<Icon name="plus" size={18} />} onClick={() => void navigate('/rewards/new')}>{t('add')}</Button>;
  return (
    <Page title={t('menu')} actions={add}>
      <Pages />
      <Section>
        <KeysetTable<RewardView>
          name="rewards"
          queryKey={['rewards']}
          fetch={(cursor) => ok(api.GET('/v1/rewards', { params: { query: { cursor, limit: 50 } } }))}
          rowKey={(r) => r.id}
          to={(r) => `/rewards/${r.id}`}
          empty={<Blank drawing="coupon" title={t('empty.title')} text={t('empty.text')} action={add} />}
          columns={[
            { key: 'name', title: t('field.name'), render: (_, r) => <div className={styles.named}>{r.pictures?.[0] ? <img src={r.pictures[0].thumb_url} alt="" /> : <span><Icon name="gift" /></span>}<div><Link to={`/rewards/${r.id}`}>{named(r) || r.code}</Link><div className="quiet">{t(`kind.${r.kind}`)}{r.category && ` · ${r.category}`}</div></div></div> },
            { key: 'price', title: t('field.price'), render: (_, r) => <>{words.price(r.prices?.[0], r.money_currency)}{(r.prices?.length ?? 0) > 1 && <div className="quiet">{t('more', { count: r.prices!.length - 1 })}</div>}</> },
            { key: 'left', title: t('field.left'), align: 'right', width: 110, render: (_, r) => { const n = words.left(r); return n === undefined ? t('uncounted') : n === 0 ? <StatusTag tone="error">{t('soldOut')}</StatusTag> : count(n); } },
            { key: 'taken', title: t('field.taken'), align: 'right', width: 110, render: (_, r) => ((r.stocks ?? []).length > 0 ? count(r.stocks!.reduce((n, s) => n + s.taken, 0)) : '') },
            { key: 'state', title: t('field.state'), width: 110, render: (_, r) => <StatusTag tone={tones[r.state]}>{t(`state.${r.state}`)}</StatusTag> },
          ]}
        />
      </Section>
    </Page>
  );
}
