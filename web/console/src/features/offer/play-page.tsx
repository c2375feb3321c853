import { api, ok } from '@patron/shared/api/client.ts';
import type { OfferBadgeView, OfferBoardView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { TierMark, tierIcons } from '@patron/shared/standing/tier-mark.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { useQuery } from '@tanstack/react-query';
import { Button, Checkbox, ColorPicker, Form, Input, Select, Skeleton, Switch } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useCurrencies } from '../../frame/lookups.ts';
import { programQuery, useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { Section } from '../../ui/section.tsx';
import { ErrorState } from '../../ui/states.tsx';
import { useAmountText } from '../../ui/use-amount-text.ts';
import { Pages } from './pages.tsx';
import styles from './offer-page.module.css';

/** Badges, the daily check-in, and leaderboards. */
export default function PlayPage() {
  const { t } = useTranslation('offer');
  return (
    <Page title={t('menu')}>
      <Pages />
      <CheckIn />
      <Badges />
      <Boards />
    </Page>
  );
}

interface LadderValues {
  active: boolean;
  cyclic: boolean;
  currency: string;
  steps: string[];
}

function CheckIn() {
  const { t } = useTranslation('offer');
  const may = useCan()('rules.write');
  const currencies = useCurrencies();
  const amountText = useAmountText();
  const [open, setOpen] = useState(false);
  const found = useQuery({ queryKey: ['check-in'], queryFn: () => ok(api.GET('/v1/check-in')) });
  const save = useWrite((v: LadderValues, key) => {
    const unit = 10 ** currencies.decimalsOf(v.currency);
    return ok(api.PUT('/v1/check-in', { body: { active: v.active, cyclic: v.cyclic, currency: v.currency, steps: v.steps.map((s) => Math.round(Number(s) * unit)) }, params: { header: { 'Idempotency-Key': key } } }));
  }, { invalidates: [['check-in']], onSuccess: () => setOpen(false) });
  const l = found.data;
  const currency = l?.currency ?? currencies.list.find((c) => c.kind === 'points')?.code ?? '';
  const steps = l?.steps ?? [];
  return (
    <Section title={t('checkIn.title')} note={l && <StatusTag tone={l.active ? 'success' : 'plain'}>{t(l.active ? 'checkIn.on' : 'checkIn.off')}</StatusTag>} extra={may && l && <Button size="small" onClick={() => setOpen(true)}>{t('checkIn.edit')}</Button>}>
      {found.error ? <ErrorState error={found.error} retry={() => void found.refetch()} /> : !l ? <Skeleton active title={false} /> : (
        <>
          <p className="lead" style={{ margin: 0 }}>{steps.length === 0 ? t('checkIn.none') : t(l.cyclic ? 'checkIn.cyclic' : 'checkIn.stays', { count: steps.length })}</p>
          {steps.length > 0 && <ol className={styles.steps}>{steps.map((n, i) => <li key={i}>{t('checkIn.day', { n: i + 1, amount: amountText(n, currency) })}</li>)}</ol>}
          <FormDrawer<LadderValues> open={open} title={t('checkIn.title')} act={t('save')} first="currency" write={save} initial={{ active: l.active, cyclic: l.cyclic ?? false, currency, steps: steps.map((n) => String(n / 10 ** currencies.decimalsOf(currency))) }} onSave={(v) => save.mutate(v)} onClose={() => setOpen(false)}>
            <Form.Item name="active" valuePropName="checked" label={t('checkIn.on')}><Switch aria-label={t('checkIn.on')} /></Form.Item>
            <Form.Item name="currency" label={t('field.currency')}><Select options={currencies.list.filter((c) => c.kind !== 'stored').map((c) => ({ value: c.code, label: currencies.nameOf(c.code) }))} /></Form.Item>
            <Form.Item name="steps" label={t('checkIn.steps')} extra={t('checkIn.stepsHelp')}><Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[',', '，', ' ']} /></Form.Item>
            <Form.Item name="cyclic" valuePropName="checked"><Checkbox>{t('checkIn.again')}</Checkbox></Form.Item>
          </FormDrawer>
        </>
      )}
    </Section>
  );
}

interface BadgeValues {
  code?: string;
  name_zh?: string;
  name_en?: string;
  text_zh?: string;
  text_en?: string;
  color?: string;
  icon?: string;
}

function Badges() {
  const { t } = useTranslation('offer');
  const { named } = useFormat();
  const may = useCan()('rules.write');
  const [editing, setEditing] = useState<OfferBadgeView | 'new'>();
  const found = useQuery({ queryKey: ['badges'], queryFn: () => ok(api.GET('/v1/badges', { params: { query: { limit: 100 } } })) });
  const one = editing === 'new' ? undefined : editing;
  const save = useWrite(({ code, ...v }: BadgeValues, key) => {
    const params = { header: { 'Idempotency-Key': key } };
    return one ? ok(api.PATCH('/v1/badges/{id}', { body: { ...v, version: one.version }, params: { ...params, path: { id: one.id } } })) : ok(api.POST('/v1/badges', { body: { ...v, code: code ?? '' }, params }));
  }, { invalidates: [['badges']], onSuccess: () => setEditing(undefined) });
  const items = found.data?.items ?? [];
  return (
    <Section title={t('badges.title')} extra={may && <Button size="small" onClick={() => setEditing('new')}>{t('badges.add')}</Button>}>
      {found.error ? <ErrorState error={found.error} retry={() => void found.refetch()} /> : !found.data ? <Skeleton active title={false} /> : items.length === 0 ? <p className="quiet">{t('badges.none')}</p> : (
        <ul className={styles.list}>
          {items.map((b) => (
            <li key={b.id} className={styles.between}>
              <span style={{ display: 'flex', gap: 12, alignItems: 'center' }}><TierMark color={b.color} icon={b.icon} or="star" size={32} /><span><b>{named(b) || b.code}</b><span className="quiet" style={{ display: 'block' }}>{named({ name_en: b.text_en, name_zh: b.text_zh })}</span></span></span>
              {may && <Button type="link" size="small" onClick={() => setEditing(b)}>{t('change')}</Button>}
            </li>
          ))}
        </ul>
      )}
      <FormDrawer<BadgeValues> key={one?.id ?? 'new'} open={editing !== undefined} title={one ? named(one) || one.code : t('badges.add')} act={t('save')} first="name_zh" write={save}
        initial={one ? { name_zh: one.name_zh ?? '', name_en: one.name_en ?? '', text_zh: one.text_zh ?? '', text_en: one.text_en ?? '', color: one.color ?? '#1F7161', icon: one.icon ?? 'star' } : { color: '#1F7161', icon: 'star' }}
        onSave={(v) => save.mutate(v)} onClose={() => setEditing(undefined)}
      >
        <Form.Item name="name_zh" label={t('field.nameZh')}><Input maxLength={200} /></Form.Item>
        <Form.Item name="name_en" label={t('field.nameEn')}><Input maxLength={200} /></Form.Item>
        {!one && <Form.Item name="code" label={t('field.code')} extra={t('field.codeHelp')} rules={[{ required: true, message: t('field.codeNeeded') }]}><Input maxLength={40} /></Form.Item>}
        <Form.Item name="text_zh" label={t('field.textZh')}><Input.TextArea autoSize={{ minRows: 2 }} /></Form.Item>
        <Form.Item name="text_en" label={t('field.textEn')}><Input.TextArea autoSize={{ minRows: 2 }} /></Form.Item>
        <Form.Item name="color" label={t('badges.color')} getValueFromEvent={(c: { toHexString: () => string }) => c.toHexString().slice(0, 7).toUpperCase()}><ColorPicker disabledAlpha showText /></Form.Item>
        <Form.Item name="icon" label={t('badges.icon')}><Select options={tierIcons.map((value) => ({ value, label: t(`icons.${value}`) }))} /></Form.Item>
      </FormDrawer>
    </Section>
  );
}

function Boards() {
  const { t } = useTranslation('offer');
  const found = useQuery({ queryKey: ['leaderboards'], queryFn: () => ok(api.GET('/v1/leaderboards', { params: { query: { limit: 50 } } })) });
  const items = found.data?.items ?? [];
  return (
    <Section title={t('boards.title')}>
      {found.error ? <ErrorState error={found.error} retry={() => void found.refetch()} /> : !found.data ? <Skeleton active title={false} /> : items.length === 0 ? <p className="quiet">{t('boards.none')}</p> : items.map((b) => <Board key={b.id} board={b} />)}
    </Section>
  );
}

/** One leaderboard with its first places of now. */
function Board({ board: b }: { board: OfferBoardView }) {
  const { t } = useTranslation('offer');
  const { money, count } = useFormat();
  const currency = useQuery(programQuery).data?.currency ?? 'CNY';
  const places = useQuery({ queryKey: ['leaderboards', b.id], enabled: b.state === 'live', queryFn: () => ok(api.GET('/v1/leaderboards/{id}/standings', { params: { path: { id: b.id }, query: { limit: 5 } } })) }).data?.items ?? [];
  return (
    <div style={{ marginBottom: 16 }}>
      <p className={styles.between}><b>{b.name}</b><StatusTag tone={b.state === 'live' ? 'success' : b.state === 'draft' ? 'warning' : 'plain'}>{t(`state.${b.state}`)}</StatusTag></p>
      <p className="quiet">{t('boards.said', { metric: t(`boards.metric.${b.metric}`), every: t(`boards.every.${b.every}`) })}</p>
      <ol className={styles.list}>{places.map((p) => <li key={p.place} className={styles.between}><span>{p.place} <Link to={`/members/${p.member}`}>{p.member_name || t('boards.unnamed')}</Link></span><span>{b.metric === 'spend' ? money(p.score, currency) : count(p.score)}</span></li>)}</ol>
    </div>
  );
}
