import { Icon } from '@patron/shared/ui/icon.tsx';
import { DatePicker, Input } from 'antd';
import dayjs from 'dayjs';
import { useTranslation } from 'react-i18next';
import { SearchField } from '../../ui/search-field.tsx';

/** What GET /v1/members filters by. A day without a time is in the programme's zone. */
export const memberFilters = ['q', 'tag', 'joined_from', 'joined_until'] as const;
type Filters = Partial<Record<(typeof memberFilters)[number], string>>;

interface Props {
  filters: Filters;
  set: (patch: Filters, options?: { replace?: boolean }) => void;
}

export function MemberFilters({ filters, set }: Props) {
  const { t } = useTranslation('members');
  return (
    <>
      <SearchField label={t('search')} value={filters.q ?? ''} onChange={(q) => set({ q }, { replace: true })} />
      <Input
        key={filters.tag}
        defaultValue={filters.tag}
        allowClear
        maxLength={50}
        aria-label={t('tag')}
        placeholder={t('tag')}
        prefix={<Icon name="tag" size={18} />}
        style={{ width: 160 }}
        onPressEnter={(e) => set({ tag: e.currentTarget.value.trim() })}
        onBlur={(e) => e.target.value.trim() !== (filters.tag ?? '') && set({ tag: e.target.value.trim() })}
        onClear={() => set({ tag: undefined })}
      />
      <DatePicker.RangePicker
        aria-label={t('joined')}
        placeholder={[t('joinedFrom'), t('joinedUntil')]}
        allowEmpty={[true, true]}
        value={[filters.joined_from ? dayjs(filters.joined_from) : null, filters.joined_until ? dayjs(filters.joined_until).subtract(1, 'day') : null]}
        // The last day counts too; the API's end is exclusive.
        onChange={(range) => set({ joined_from: range?.[0]?.format('YYYY-MM-DD'), joined_until: range?.[1]?.add(1, 'day').format('YYYY-MM-DD') })}
        style={{ width: 250 }}
      />
    </>
  );
}
