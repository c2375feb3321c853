import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { Button, Skeleton } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useCurrencies } from '../../frame/lookups.ts';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { Section } from '../../ui/section.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { WideTable } from '../../ui/wide-table.tsx';
import { policyInWords } from './policy.ts';

/** The point currencies: what each is, and how it behaves in a sentence. */
export default function CurrenciesPage() {
  const { t } = useTranslation('ledger');
  const { named } = useFormat();
  const can = useCan();
  const { list, query } = useCurrencies();
  const add = can('program.manage') && <Link to="/currencies/new"><Button>{t('currencies.add')}</Button></Link>;
  return (
    <Page title={t('currencies.menu')} actions={add}>
      <Section>
        {query.error ? <ErrorState error={query.error} retry={() => void query.refetch()} /> : query.isPending ? <Skeleton active /> : list.length === 0 ? (
          <Blank drawing="result" title={t('currencies.empty')} text={t('currencies.emptyText')} action={add} />
        ) : (
          <WideTable
            rowKey="code"
            dataSource={list}
            columns={[
              { title: t('currencies.name'), render: (_, c) => <Link to={`/currencies/${c.code}`}>{named(c)}</Link> },
              { title: t('currencies.code'), dataIndex: 'code' },
              { title: t('currencies.kind'), render: (_, c) => t(`currencies.kinds.${c.kind}`) },
              { title: t('currencies.policy'), render: (_, c) => policyInWords(t, c.policy).join(t('words.join')) },
              { title: t('currencies.use'), render: (_, c) => (c.active ? <StatusTag tone="success">{t('currencies.on')}</StatusTag> : <StatusTag tone="plain">{t('currencies.off')}</StatusTag>) },
            ]}
          />
        )}
      </Section>
    </Page>
  );
}
