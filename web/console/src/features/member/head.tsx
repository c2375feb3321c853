import { api, ok } from '@patron/shared/api/client.ts';
import type { TagMemberTagsInBody } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { tierIcon } from '@patron/shared/standing/tier-mark.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { PhoneMasked } from '@patron/shared/ui/phone-masked.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { App, Button, Popover, QRCode, Select } from 'antd';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useActors, useColleagues, useStores } from '../../frame/lookups.ts';
import { useCan } from '../../frame/me.ts';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { Amount } from '../../ui/amount.tsx';
import { standingQuery } from '../../ui/standing.tsx';
import { keyOf, type Member } from './api.ts';
import { consentsQuery } from './consents.ts';
import styles from './head.module.css';

/** Who it is, how they stand, and what colleagues must know first. */
export function Head({ member, phone, onPhone }: { member: Member; phone: boolean; onPhone: () => void }) {
  const { t } = useTranslation('member');
  const can = useCan();
  const stores = useStores();
  const { count, named } = useFormat();
  const agreed = useQuery(consentsQuery(member.id)).data?.current?.filter((c) => c.purpose === 'marketing' && c.granted) ?? [];
  const pinned = useQuery({
    queryKey: [...keyOf(member.id), 'notes', 'pinned'],
    queryFn: () => ok(api.GET('/v1/members/{ref}/notes', { params: { path: { ref: member.id }, query: { pinned: true, limit: 3 } } })),
  }).data?.items;
  const blocked = member.cards?.blocked;
  const growth = member.wallets?.filter((w) => w.kind === 'growth') ?? [];
  const tier = useQuery(standingQuery(member.id)).data?.find((s) => s.main)?.tier;
  const fact = (key: string, label: string, value: ReactNode) => value && <div key={key}><dt>{label}</dt><dd>{value}</dd></div>;
  return (
    <section className={styles.head}>
      <div className={styles.face} aria-hidden>{[...(member.name || '#')][0]}</div>
      <div className={styles.who}>
        <div className={styles.line}>
          <h2>{member.name || t('unnamed')}</h2>
          {tier && <StatusTag tone="primary" icon={tierIcon(tier.icon)}>{named(tier)}</StatusTag>}
          {blocked?.earn && <StatusTag tone="error" icon="lock">{t('blocked.earn')}</StatusTag>}
          {blocked?.spend && <StatusTag tone="error" icon="lock">{t('blocked.spend')}</StatusTag>}
          {member.identifiers?.some((i) => i.kind === 'wechat') && <StatusTag tone="plain" icon="scan">{t('wechat')}</StatusTag>}
          <span className={styles.number}>{member.number}</span>
          <Popover trigger="click" title={t('qr.title')} content={<div className={styles.qr}><QRCode value={member.number} size={176} color="#241B22" bgColor="#FFFFFF" bordered={false} /><p>{t('qr.text', { number: member.number })}</p></div>}>
            <Button type="text" size="small" icon={<Icon name="scan" size={18} />} aria-label={t('qr.open')} />
          </Popover>
        </div>
        <dl className={styles.facts}>
          {fact('phone', t('field.phone'), member.phone && (
            <>
              {phone ? <span style={{ whiteSpace: 'nowrap' }}>{member.phone}</span> : <PhoneMasked phone={member.phone} />}{' '}
              <button type="button" className={styles.show} onClick={onPhone}>{t(phone ? 'hide' : 'show')}</button>
            </>
          ))}
          {fact('birthday', t('field.birthday'), member.birthday && <Birthday date={member.birthday} />)}
          {fact('joined', t('field.joined'), <><When at={member.joined_at} as="day" />{member.store && t('joinedAt', { store: stores.nameOf(member.store) })}</>)}
          {fact('city', t('field.city'), member.city)}
          {growth.map((w) => fact(w.currency, t('growth'), <Amount amount={w.available} currency={w.currency} />))}
          {fact('agreed', t('agreed'), agreed.length > 0 && agreed.map((c) => t(`channel.${c.channel}`)).join(t('comma')))}
          {(member.advisor || can('members.write')) && !member.erased_at && fact('advisor', t('field.advisor'), <Advisor member={member} />)}
          {fact('merged', t('mergedCount'), member.merged?.length ? count(member.merged.length) : undefined)}
        </dl>
        <Tags member={member} />
      </div>
      {pinned && pinned.length > 0 && (
        <div className={styles.notes}>
          <p className="quiet">{t('notes.inner')}</p>
          {pinned.map((n) => <p key={n.id} className={styles.note}>{n.text}</p>)}
        </div>
      )}
    </section>
  );
}

/** The colleague who is responsible for the member; whoever may change members gives them one. */
function Advisor({ member }: { member: Member }) {
  const { t } = useTranslation('member');
  const can = useCan();
  const who = useActors();
  const { message } = App.useApp();
  const colleagues = useColleagues();
  const change = useWrite(
    (advisor: string | null, key) => ok(api.PATCH('/v1/members/{ref}', { body: { advisor }, params: { path: { ref: member.id }, header: { 'Idempotency-Key': key, 'If-Match': `"${member.version}"` } } })),
    { invalidates: [['member'], ['members']] },
  );
  if (!can('members.write')) return <>{who(member.advisor)}</>;
  return (
    <Select<string | null>
      size="small"
      variant="borderless"
      className={styles.advisor}
      popupMatchSelectWidth={false}
      allowClear
      showSearch={{ optionFilterProp: 'label' }}
      aria-label={t('field.advisor')}
      placeholder={t('advisor.none')}
      loading={change.isPending}
      value={change.isPending ? change.variables : member.advisor}
      options={colleagues.map((c) => ({ value: c.id, label: c.name }))}
      onChange={(id) => change.mutate(id ?? null, { onError: (error) => void message.error(error.message) })}
    />
  );
}

/** `12月6日`: the year stays out of sight of whoever walks past. */
function Birthday({ date }: { date: string }) {
  const { i18n } = useTranslation();
  const [month, day] = date.split('-').slice(-2).map(Number) as [number, number];
  return <>{new Intl.DateTimeFormat(i18n.language === 'zh-CN' ? 'zh-CN' : 'en-GB', { month: i18n.language === 'zh-CN' ? 'long' : 'short', day: 'numeric', timeZone: 'UTC' }).format(Date.UTC(2000, month - 1, day))}</>;
}

function Tags({ member }: { member: Member }) {
  const { t } = useTranslation('member');
  const can = useCan();
  const [open, setOpen] = useState(false);
  const [tags, setTags] = useState<string[]>([]);
  const change = useWrite((body: TagMemberTagsInBody, key) => ok(api.POST('/v1/members/{ref}/tags', { body, params: { path: { ref: member.id }, header: { 'Idempotency-Key': key } } })), {
    invalidates: [['member'], ['members']],
    onSuccess: () => setOpen(false),
  });
  const now = member.tags ?? [];
  return (
    <div className={styles.tags}>
      {now.map((tag) => <span key={tag} className={styles.tag}>{tag}</span>)}
      {can('members.write') && !member.erased_at && (
        <Popover
          open={open}
          onOpenChange={(is) => {
            setOpen(is);
            if (is) setTags(now);
          }}
          trigger="click"
          placement="bottomLeft"
          content={
            <form
              className={styles.tagForm}
              onSubmit={(event) => {
                event.preventDefault();
                change.mutate({ add: tags.filter((x) => !now.includes(x)), remove: now.filter((x) => !tags.includes(x)) });
              }}
            >
              <ProblemAlert error={change.error} />
              <Select mode="tags" open={false} suffixIcon={null} value={tags} onChange={setTags} tokenSeparators={[',', '，', ' ']} style={{ width: '100%' }} aria-label={t('field.tags')} />
              <p className="quiet">{t('help.tags')}</p>
              <Button size="small" type="primary" htmlType="submit" loading={change.isPending}>{t('tags.save')}</Button>
            </form>
          }
        >
          <button type="button" className={styles.show}>{now.length ? t('tags.change') : t('tags.add')}</button>
        </Popover>
      )}
    </div>
  );
}
