import { api, ok } from '@patron/shared/api/client.ts';
import type { MemberLineView } from '@patron/shared/api/schema.d.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { PhoneMasked } from '@patron/shared/ui/phone-masked.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { KeysetTable, type Column } from '../../ui/keyset-table.tsx';
import { useFilters } from '../../ui/use-filters.ts';
import styles from './members-page.module.css';
import { MemberFilters, memberFilters } from './member-filters.tsx';
import { NewMember } from './new-member.tsx';
import { useStoreNames } from './stores.ts';

/** Everybody who takes part, the newest first. */
export default function MembersPage() {
  const { t } = useTranslation('members');
  const can = useCan();
  const [adding, setAdding] = useState(false);
  const { filters, set, clear, filtered } = useFilters(memberFilters);
  const columns = useColumns(set);
  const add = can('members.write') && (
    <Button type="primary" icon={<Icon name="plus" size={18} />} onClick={() => setAdding(true)}>{t('add')}</Button>
  );
  return (
    <Page title={t('menu')} actions={add}>
      <KeysetTable
        name="members"
        label={t('menu')}
        queryKey={['members', filters]}
        load={(page) => ok(api.GET('/v1/members', { params: { query: { ...filters, ...page } } }))}
        rowKey={(m) => m.id}
        rowLink={(m) => `/members/${m.id}`}
        columns={columns}
        filters={<MemberFilters filters={filters} set={set} />}
        filtered={filtered}
        query={filters.q}
        clear={clear}
        empty={<Blank drawing="members" title={t('empty.title')} text={t('empty.text')} action={can('members.write') && <Button type="primary" onClick={() => setAdding(true)}>{t('add')}</Button>} />}
      />
      <NewMember open={adding} onClose={() => setAdding(false)} />
    </Page>
  );
}

function useColumns(set: (patch: { tag: string }) => void): Column<MemberLineView>[] {
  const { t } = useTranslation('members');
  const storeName = useStoreNames();
  return [
    { key: 'name', title: t('name'), width: 180, render: (m) => <Link to={`/members/${m.id}`}>{m.name || t('nameless')}</Link> },
    { key: 'number', title: t('number'), choice: 'on', from: 'sm', render: (m) => m.number },
    { key: 'phone', title: t('phone'), render: (m) => m.phone && <PhoneMasked phone={m.phone} /> },
    { key: 'email', title: t('email'), choice: 'off', from: 'md', render: (m) => m.email },
    { key: 'card', title: t('card'), choice: 'off', from: 'md', render: (m) => m.card },
    { key: 'tags', title: t('tags'), choice: 'on', from: 'md', render: (m) => <Tags tags={m.tags} onPick={(tag) => set({ tag })} /> },
    { key: 'city', title: t('city'), choice: 'off', from: 'md', render: (m) => m.city },
    { key: 'store', title: t('store'), choice: 'on', from: 'lg', render: (m) => storeName(m.store) },
    { key: 'joined', title: t('joined'), choice: 'on', right: true, from: 'sm', render: (m) => <When at={m.joined_at} /> },
  ];
}

/** The tags of one line; one of them is a filter. */
function Tags({ tags, onPick }: { tags: string[] | null; onPick: (tag: string) => void }) {
  const { t } = useTranslation('members');
  return (
    <span className={styles.tags}>
      {tags?.map((tag) => <button key={tag} type="button" onClick={() => onPick(tag)} title={t('onlyTag', { tag })}>{tag}</button>)}
    </span>
  );
}
