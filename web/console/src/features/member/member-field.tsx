import { api, ok } from '@patron/shared/api/client.ts';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';

interface Props {
  id?: string;
  value?: string;
  onChange?: (id: string | undefined) => void;
  /** Who cannot be chosen. */
  except: string;
}

/** Finds another member by name, phone, card or number. */
export function MemberField({ id, value, onChange, except }: Props) {
  const { t } = useTranslation('member');
  const [q, setQ] = useState('');
  const found = useQuery({
    queryKey: ['members', 'pick', q],
    queryFn: () => ok(api.GET('/v1/members', { params: { query: { q, limit: 8 } } })),
    enabled: q.length > 1,
    placeholderData: keepPreviousData,
    retry: false,
  });
  const options = (q.length > 1 ? (found.data?.items ?? []) : []).filter((m) => m.id !== except).map((m) => ({ value: m.id, label: [m.name || t('unnamed'), m.number, m.phone].filter(Boolean).join(' · ') }));
  return (
    <Select
      id={id}
      allowClear
      showSearch={{ filterOption: false, onSearch: (text) => setQ(text.trim()) }}
      value={value}
      onChange={onChange}
      options={options}
      placeholder={t('pick.placeholder')}
      notFoundContent={q.length > 1 && !found.isFetching ? t('pick.none') : t('pick.type')}
      style={{ width: '100%' }}
    />
  );
}
