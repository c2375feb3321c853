import { api, ok } from '@patron/shared/api/client.ts';
import type { MemberLineView } from '@patron/shared/api/schema.d.ts';
import { tierIcon } from '@patron/shared/standing/tier-mark.tsx';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { PhoneMasked } from '@patron/shared/ui/phone-masked.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { Button, DatePicker, Input, Select } from 'antd';
import dayjs from 'dayjs';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { useStores, useTiers } from '../../frame/lookups.ts';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { ExportList } from '../../ui/export-list.tsx';
import { useFilters } from '../../ui/filters.ts';
import { KeysetTable, type KeysetColumn } from '../../ui/keyset-table.tsx';
import { SavedViews } from '../../ui/saved-views.tsx';
import { Section } from '../../ui/section.tsx';
import { BulkTag } from './bulk-tag.tsx';
import { CreateMember } from './create-member.tsx';
import styles from './members-page.module.css';

/** Everybody, who joined last first. The filters are in the address; a view gives a set of them a name. */
export default function MembersPage() {
  const { t } = useTranslation('member');
  const can = useCan();
  const navigate = useNavigate();
  const stores = useStores();
  const tiers = useTiers();
  const filters = useFilters(['q', 'tag', 'tier', 'joined_from', 'joined_until'] as const);
  const f = filters.values;
  const [creating, setCreating] = useState(false);
  const [tagging, setTagging] = useState(false);
  const [chosen, setChosen] = useState<string[]>([]);
  const query = { ...f, joined_until: f.joined_until && dayjs(f.joined_until).add(1, 'day').format('YYYY-MM-DD') };
  const create = can('members.write') && <Button type="primary" icon={<Icon name="plus" size={18} />} onClick={() => setCreating(true)}>{t('create.open')}</Button>;

  const columns: KeysetColumn<MemberLineView>[] = [
    { key: 'name', title: t('field.name'), width: 160, render: (_, m) => <Link className={styles.name} to={`/members/${m.id}`}>{m.name || t('unnamed')}</Link> },
    { key: 'number', title: t('field.number'), width: 110, render: (_, m) => m.number },
    ...(tiers.some ? [{ key: 'tier', title: t('field.tier'), width: 110, render: (_: unknown, m: MemberLineView) => m.tier && <StatusTag tone="primary" icon={tierIcon(tiers.list.find((one) => one.code === m.tier)?.icon)}>{tiers.nameOf(m.tier)}</StatusTag> }] : []),
    { key: 'phone', title: t('field.phone'), width: 150, render: (_, m) => m.phone && <PhoneMasked phone={m.phone} /> },
    { key: 'email', title: t('field.email'), optional: true, render: (_, m) => m.email },
    { key: 'card', title: t('field.card'), optional: true, render: (_, m) => m.card },
    { key: 'gender', title: t('field.gender'), optional: true, render: (_, m) => t(`gender.${m.gender}`) },
    { key: 'city', title: t('field.city'), width: 110, render: (_, m) => m.city },
    { key: 'store', title: t('field.store'), width: 240, render: (_, m) => stores.nameOf(m.store) },
    { key: 'source', title: t('field.source'), optional: true, render: (_, m) => m.source },
    { key: 'tags', title: t('field.tags'), render: (_, m) => <span className={styles.tags}>{m.tags?.map((tag) => <button key={tag} type="button" className={styles.tag} title={t('filter.byTag', { tag })} onClick={() => filters.set({ tag })}>{tag}</button>)}</span> },
    { key: 'joined', title: t('field.joined'), width: 130, align: 'right', render: (_, m) => <When at={m.joined_at} as="day" /> },
  ];

  return (
    <Page title={t('menu')} actions={create}>
      <Section>
        <SavedViews feature="members" />
        <KeysetTable<MemberLineView>
          name="members"
          queryKey={['members', query]}
          fetch={(cursor) => ok(api.GET('/v1/members', { params: { query: { ...query, cursor, limit: 50 } } }))}
          columns={columns}
          rowKey={(m) => m.id}
          to={(m) => `/members/${m.id}`}
          filtered={filters.active}
          onClear={filters.clear}
          selection={can('members.manage') ? { keys: chosen, onChange: setChosen } : undefined}
          empty={<Blank drawing="members" title={t('empty.title')} text={t('empty.text')} action={can('members.write') && <Button onClick={() => setCreating(true)}>{t('create.open')}</Button>} />}
          filters={
            <>
              <Input.Search key={`q${f.q ?? ''}`} allowClear style={{ width: 260 }} placeholder={t('filter.q')} aria-label={t('filter.q')} defaultValue={f.q} onSearch={(q) => filters.set({ q: q.trim() })} />
              <Input.Search key={`t${f.tag ?? ''}`} allowClear style={{ width: 160 }} placeholder={t('filter.tag')} aria-label={t('filter.tag')} defaultValue={f.tag} onSearch={(tag) => filters.set({ tag: tag.trim() })} />
              {(tiers.some || f.tier) && <Select allowClear style={{ width: 130 }} placeholder={t('filter.tier')} aria-label={t('filter.tier')} value={f.tier} options={[...tiers.list].reverse().map((one) => ({ value: one.code, label: tiers.nameOf(one.code) }))} onChange={(tier?: string) => filters.set({ tier })} />}
              <DatePicker.RangePicker
                style={{ width: 270 }}
                allowEmpty={[true, true]}
                placeholder={[t('filter.joinedFrom'), t('filter.joinedUntil')]}
                value={[f.joined_from ? dayjs(f.joined_from) : null, f.joined_until ? dayjs(f.joined_until) : null]}
                onChange={(days) => filters.set({ joined_from: days?.[0]?.format('YYYY-MM-DD'), joined_until: days?.[1]?.format('YYYY-MM-DD') })}
              />
            </>
          }
          actions={
            <>
              {can('members.manage') && (chosen.length > 0 || (filters.active && !f.q)) && (
                <Button icon={<Icon name="tag" size={18} />} onClick={() => setTagging(true)}>{chosen.length > 0 ? t('bulk.openSome', { count: chosen.length }) : t('bulk.openAll')}</Button>
              )}
              {can('lists.import') && <Button icon={<Icon name="upload" size={18} />} onClick={() => void navigate('/imports?new=members')}>{t('import')}</Button>}
              <ExportList list="members" filter={query} />
            </>
          }
        />
      </Section>
      <CreateMember open={creating} onClose={() => setCreating(false)} />
      <BulkTag
        open={tagging}
        members={chosen}
        filter={{ tag: query.tag, joined_from: query.joined_from, joined_until: query.joined_until }}
        onClose={(done) => {
          setTagging(false);
          if (done) setChosen([]);
        }}
      />
    </Page>
  );
}
