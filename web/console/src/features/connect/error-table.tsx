import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorState } from '../../ui/states.tsx';
import { WideTable } from '../../ui/wide-table.tsx';
import { errorRows } from './error-rows.ts';

const most = 20;

/** The first of the refused rows, each with its reason. To look at them goes on the audit trail, so it is asked for. */
export function ErrorRows({ id, done }: { id: string; done: string }) {
  const { t } = useTranslation('connect');
  const [open, setOpen] = useState(false);
  const list = useQuery({ queryKey: ['import', id, 'errors', done], queryFn: () => errorRows(id, most), enabled: open, staleTime: Infinity });
  if (!open) return <p style={{ marginBottom: 12 }}><Button size="small" onClick={() => setOpen(true)}>{t('errors.show')}</Button></p>;
  if (list.error) return <ErrorState error={list.error} retry={() => void list.refetch()} />;
  const [head = [], ...rows] = list.data ?? [];
  // The code is for programs; the line and the reason are known by their place.
  const columns = head.flatMap((name, i) => (name === 'code' && i === 1 ? [] : [{ key: i, title: i === 0 ? t('errors.line') : i === 2 ? t('errors.reason') : name, dataIndex: i, onCell: () => (i === 2 ? { style: { color: 'var(--error)', minWidth: 200 } } : {}) }]));
  return (
    <div style={{ marginBottom: 16 }}>
      <WideTable<Record<number, string>> loading={list.isPending} rowKey={(row) => `${row[0]}/${row[1]}/${row[2]}`} columns={columns} dataSource={rows.map((row) => ({ ...row }))} />
      {rows.length === most && <p className="quiet">{t('errors.first', { count: most })}</p>}
    </div>
  );
}
