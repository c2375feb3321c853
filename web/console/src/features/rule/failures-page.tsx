import { api, ok } from '@patron/shared/api/client.ts';
import type { RuleFailureView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { App } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { useFilters } from '../../ui/filters.ts';
import { KeysetTable, type KeysetColumn } from '../../ui/keyset-table.tsx';
import { RuleLink } from '../../ui/rule-trace.tsx';
import { Section } from '../../ui/section.tsx';
import { useAmountText } from '../../ui/use-amount-text.ts';
import { ViewTabs } from '../../ui/view-tabs.tsx';
import { RulesTabs } from './rules-tabs.tsx';

/** Rules that could not be worked out for a sale or an event; the sale stood, and they can be tried again. */
export default function FailuresPage() {
  const { t } = useTranslation('rule');
  const { language } = useFormat();
  const { message, notification } = App.useApp();
  const amount = useAmountText();
  const may = useCan()('rules.write');
  const filters = useFilters(['all'] as const);
  const open = filters.values.all !== 'true';
  const retry = useWrite((id: string, key) => ok(api.POST('/v1/rules/failures/{id}/retry', { params: { path: { id }, header: { 'Idempotency-Key': key } } })), {
    invalidates: [['rule-failures']],
    onSuccess: (out) => {
      const points = (out.points ?? []).filter((p) => p.amount !== 0).map((p) => amount(p.amount, p.currency)).join(t('valid.and'));
      void message.success(points ? t('failures.given', { points }) : t('failures.nothing'));
    },
  });
  const columns: KeysetColumn<RuleFailureView>[] = [
    { key: 'at', title: t('failures.at'), render: (_, f) => <When at={f.at} /> },
    { key: 'rule', title: t('column.name'), render: (_, f) => <RuleLink rule={f.rule} /> },
    { key: 'what', title: t('failures.what'), render: (_, f) => (f.sale_id ? <Link to={`/sales/${f.sale_id}`}>{t('failures.sale')}</Link> : t('failures.event')) },
    { key: 'member', title: t('failures.member'), render: (_, f) => <Link to={`/members/${f.member_id}`}>{t('toMember')}</Link> },
    { key: 'why', title: t('failures.why'), render: (_, f) => <div style={{ maxWidth: 420, whiteSpace: 'normal' }}>{language === 'zh-CN' ? f.why_zh : f.why_en}</div> },
    { key: 'state', title: t('column.state'), render: (_, f) => (f.mended_at ? <StatusTag tone="success">{t('failures.mended')}</StatusTag> : <StatusTag tone="error">{t('failures.open')}</StatusTag>) },
    ...(may ? [{
      key: 'act',
      near: true,
      title: t('column.act'),
      align: 'right' as const,
      render: (_: unknown, f: RuleFailureView) => !f.mended_at && (
        <button type="button" className="word" disabled={retry.isPending} onClick={() => retry.mutate(f.id, { onError: (error) => notification.error({ title: error.message }) })}>{t('failures.retry')}</button>
      ),
    }] : []),
  ];
  return (
    <Page title={t('menu')}>
      <RulesTabs />
      <Section>
        <ViewTabs label={t('failures.view')} value={open ? 'open' : 'all'} onChange={(v) => filters.set({ all: v === 'all' ? 'true' : undefined })} items={[{ key: 'open', label: t('failures.openOnes') }, { key: 'all', label: t('failures.all') }]} />
        <p className="lead">{t('failures.lead')}</p>
        <KeysetTable<RuleFailureView>
          name="rule-failures"
          queryKey={['rule-failures', open]}
          fetch={(cursor) => ok(api.GET('/v1/rules/failures', { params: { query: { open, cursor, limit: 50 } } }))}
          columns={columns}
          rowKey={(f) => f.id}
          empty={<Blank drawing="result" title={t('failures.empty')} text={t('failures.emptyText')} />}
        />
      </Section>
    </Page>
  );
}
