import { api, ok } from '@patron/shared/api/client.ts';
import type { IntakeView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQueryClient } from '@tanstack/react-query';
import { Button } from 'antd';
import { useEffect } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useSearchParams } from 'react-router';
import { useActors } from '../../frame/lookups.ts';
import { Page } from '../../frame/page.tsx';
import { KeysetTable, type KeysetColumn } from '../../ui/keyset-table.tsx';
import { Section } from '../../ui/section.tsx';
import { kinds, type Kind } from './api.ts';
import { ImportState } from './state.tsx';
import { UploadDialog } from './upload.tsx';

/** The files that were brought in during the last week, and what became of each. `?new=members` opens the upload. */
export default function ImportsPage() {
  const { t } = useTranslation('connect');
  const { count } = useFormat();
  const actor = useActors();
  const client = useQueryClient();
  const [params, setParams] = useSearchParams();
  const kind = kinds.find((k) => k === params.get('new'));
  const choose = (next: Kind | undefined) => setParams(next ? { new: next } : {}, { replace: true });
  useEffect(() => {
    const timer = setInterval(() => void client.invalidateQueries({ queryKey: ['imports'] }), 5000);
    return () => clearInterval(timer);
  }, [client]);
  const open = <Button type="primary" icon={<Icon name="upload" size={18} />} onClick={() => choose('members')}>{t('upload.open')}</Button>;
  const columns: KeysetColumn<IntakeView>[] = [
    { key: 'name', title: t('column.file'), render: (_, i) => <Link to={`/imports/${i.id}`}>{i.name || t(`kinds.${i.kind}`)}</Link> },
    { key: 'kind', title: t('kind'), render: (_, i) => t(`kinds.${i.kind}`) },
    { key: 'state', title: t('column.state'), render: (_, i) => <ImportState it={i} /> },
    { key: 'taken', title: t('count.taken'), align: 'right', render: (_, i) => i.state !== 'uploaded' && count(i.report.taken) },
    { key: 'refused', title: t('count.refused'), align: 'right', render: (_, i) => i.state !== 'uploaded' && count(i.report.refused) },
    { key: 'maker', title: t('column.maker'), render: (_, i) => actor(i.maker) },
    { key: 'made', title: t('column.made'), align: 'right', render: (_, i) => <When at={i.made_at} /> },
  ];
  return (
    <Page title={t('menu')} actions={open}>
      <Section>
        <KeysetTable<IntakeView>
          name="imports"
          queryKey={['imports']}
          fetch={(cursor) => ok(api.GET('/v1/imports', { params: { query: { cursor, limit: 50 } } }))}
          columns={columns}
          rowKey={(i) => i.id}
          to={(i) => `/imports/${i.id}`}
          empty={<Blank drawing="result" title={t('empty.title')} text={t('empty.text')} action={<Button onClick={() => choose('members')}>{t('upload.open')}</Button>} />}
        />
      </Section>
      <UploadDialog kind={kind} onKind={choose} onClose={() => choose(undefined)} />
    </Page>
  );
}
