import { api, ok } from '@patron/shared/api/client.ts';
import type { AddIdentifierIdentifierInBody, MemberIdentifierView, PrivacyConsentView, PrivacyStateView, PrivacyWordIn } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { maskPhone } from '@patron/shared/format/format.ts';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { App, Button, Form, Input, Modal, Select, Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useActors } from '../../frame/lookups.ts';
import { useCan } from '../../frame/me.ts';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import { ProblemForm } from '../../ui/problem-form.tsx';
import { ErrorState } from '../../ui/states.tsx';
import type { Member } from './api.ts';
import { consentsQuery } from './consents.ts';
import styles from './part.module.css';

/** What the member is found by, and what they agree to. */
export function PrivacyPart({ member }: { member: Member }) {
  return (
    <>
      <Identifiers member={member} />
      {!member.erased_at && <Consents member={member} />}
    </>
  );
}

const kinds = ['phone', 'email', 'card', 'ext', 'wechat'] as const;

/** Whole values stay out of sight until somebody asks: the screen is seen by more than one person. */
function masked(i: MemberIdentifierView): string {
  if (i.kind === 'phone') return maskPhone(i.value);
  const [name = '', domain] = i.kind === 'email' ? i.value.split('@') : [i.value];
  const short = name.length > 4 ? `${name.slice(0, 2)}****${name.slice(-2)}` : `${name.slice(0, 1)}****`;
  return domain ? `${short}@${domain}` : short;
}

function Identifiers({ member }: { member: Member }) {
  const { t } = useTranslation('member');
  const can = useCan();
  const { modal } = App.useApp();
  const [shown, setShown] = useState<string[]>([]);
  const [adding, setAdding] = useState(false);
  const [form] = Form.useForm<AddIdentifierIdentifierInBody>();
  const invalidates = [['member'], ['members']];
  const path = (k: string) => ({ path: { ref: member.id }, header: { 'Idempotency-Key': k } });
  const add = useWrite((body: AddIdentifierIdentifierInBody, k) => ok(api.POST('/v1/members/{ref}/identifiers', { body, params: path(k) })), { invalidates, onSuccess: () => setAdding(false) });
  const remove = useWrite((body: { kind: string; value: string }, k) => ok(api.POST('/v1/members/{ref}/identifiers/remove', { body, params: path(k) })), { invalidates });
  const may = can('members.write') && !member.erased_at;
  const list = member.identifiers ?? [];
  return (
    <section>
      <div className={styles.head}><h2>{t('identifiers.title')}</h2>{may && <Button size="small" onClick={() => setAdding(true)}>{t('identifiers.open')}</Button>}</div>
      <ProblemAlert error={remove.error} />
      {list.length === 0 && <p className="quiet">{t('identifiers.empty')}</p>}
      <dl className={styles.facts}>
        {list.map((i) => {
          const key = `${i.kind}:${i.value}`;
          const open = shown.includes(key);
          return (
            <div key={key}>
              <dt>{t(`identifiers.kind.${i.kind}`)}</dt>
              <dd>
                {open ? i.value : masked(i)}{' '}
                <button type="button" className="word" style={{ fontSize: 12, padding: 0 }} onClick={() => setShown(open ? shown.filter((x) => x !== key) : [...shown, key])}>{t(open ? 'hide' : 'show')}</button>
                {(i.verified_at || i.from) && <small>{i.verified_at && <>{t('identifiers.verified')} <When at={i.verified_at} as="day" /></>}{i.from && ` ${t('identifiers.from')}`}</small>}
              </dd>
              <dd>
                {may && !i.from && (
                  <Button
                    size="small"
                    type="text"
                    onClick={() => modal.confirm({ title: t('identifiers.dropTitle', { value: masked(i) }), content: t('identifiers.dropText'), okText: t('identifiers.drop'), okButtonProps: { danger: true }, cancelText: t('keep'), onOk: () => remove.mutate({ kind: i.kind, value: i.value }) })}
                  >
                    {t('identifiers.drop')}
                  </Button>
                )}
              </dd>
            </div>
          );
        })}
      </dl>
      <Modal open={adding} title={t('identifiers.addTitle')} okText={t('identifiers.act')} cancelText={t('cancel')} okButtonProps={{ loading: add.isPending }} onOk={() => form.submit()} onCancel={() => setAdding(false)} afterClose={() => { form.resetFields(); add.reset(); }} width={420}>
        <ProblemForm form={form} error={add.error} initialValues={{ kind: 'phone' }} onFinish={(v) => add.mutate({ kind: v.kind, value: v.value.trim() })}>
          <Form.Item name="kind" label={t('identifiers.what')}><Select options={kinds.map((value) => ({ value, label: t(`identifiers.kind.${value}`) }))} /></Form.Item>
          <Form.Item name="value" label={t('identifiers.value')} rules={[{ required: true, whitespace: true, message: t('identifiers.needed') }]} style={{ marginBottom: 8 }}><Input autoComplete="off" /></Form.Item>
        </ProblemForm>
      </Modal>
    </section>
  );
}

const channels = ['any', 'sms', 'email', 'wechat', 'push', 'phone', 'post'] as const;

function Consents({ member }: { member: Member }) {
  const { t, i18n } = useTranslation('member');
  const { named } = useFormat();
  const who = useActors();
  const can = useCan();
  const [saying, setSaying] = useState<PrivacyWordIn>();
  const [form] = Form.useForm<{ source: NonNullable<PrivacyWordIn['source']>; channel: NonNullable<PrivacyWordIn['channel']>; purpose: string }>();
  const consents = useQuery(consentsQuery(member.id));
  const purposes = useQuery({ queryKey: ['consent-texts'], queryFn: () => ok(api.GET('/v1/consent-texts')), staleTime: 5 * 60_000 }).data?.items ?? [];
  const say = useWrite((body: { consents: PrivacyWordIn[] }, k) => ok(api.POST('/v1/members/{ref}/consents', { body, params: { path: { ref: member.id }, header: { 'Idempotency-Key': k } } })), {
    invalidates: [['member']],
    onSuccess: () => setSaying(undefined),
  });
  const nameOf = (purpose: string) => {
    const one = purposes.find((p) => p.purpose === purpose);
    return one ? named(one) : purpose;
  };
  const textOf = (c: { purpose: string; text_version?: number }) => {
    const one = purposes.find((p) => p.purpose === c.purpose)?.texts?.find((x) => x.version === c.text_version);
    return one && (i18n.language === 'zh-CN' ? one.text_zh : one.text_en);
  };
  if (consents.error) return <ErrorState error={consents.error} retry={() => void consents.refetch()} />;
  if (!consents.data) return <Skeleton active title={false} />;
  const current = consents.data.current ?? [];
  const history = consents.data.history ?? [];
  const may = can('members.write');
  const begin = (c: Pick<PrivacyStateView, 'purpose' | 'channel'> | undefined, granted: boolean) => setSaying({ purpose: c?.purpose ?? 'marketing', channel: (c?.channel ?? 'any') as PrivacyWordIn['channel'], granted, source: 'staff' });
  return (
    <section style={{ marginTop: 24 }}>
      <div className={styles.head}><h2>{t('consents.title')}</h2>{may && <Button size="small" onClick={() => begin(undefined, true)}>{t('consents.open')}</Button>}</div>
      {current.length === 0 && <p className="quiet">{t('consents.empty')}</p>}
      <dl className={styles.facts}>
        {current.map((c) => (
          <div key={`${c.purpose}/${c.channel}`}>
            <dt>{t(`channel.${c.channel}`)}</dt>
            <dd>{nameOf(c.purpose)}<small>{textOf(c) && <>{t('quoted', { text: textOf(c) })} </>}<When at={c.since} as="day" /></small></dd>
            <dd style={{ display: 'flex', gap: 8, alignItems: 'center' }}>
              {c.granted ? <StatusTag tone="success">{t('consents.granted')}</StatusTag> : <StatusTag tone="plain">{t('consents.withdrawn')}</StatusTag>}
              {may && <Button size="small" type="text" onClick={() => begin(c, !c.granted)}>{t(c.granted ? 'consents.withdraw' : 'consents.grant')}</Button>}
            </dd>
          </div>
        ))}
      </dl>
      {history.length > 0 && (
        <details style={{ marginTop: 12 }}>
          <summary style={{ cursor: 'pointer', color: 'var(--primary)', fontSize: 13 }}>{t('consents.history', { count: history.length })}</summary>
          <ul className={styles.list}>{history.map((c) => <Said key={`${c.record}/${c.number}`} consent={c} name={nameOf(c.purpose)} who={who(c.actor)} />)}</ul>
        </details>
      )}
      <Modal open={saying !== undefined} title={t(saying?.granted ? 'consents.grantTitle' : 'consents.withdrawTitle')} okText={t(saying?.granted ? 'consents.grantAct' : 'consents.withdrawAct')} cancelText={t('cancel')} okButtonProps={{ loading: say.isPending }} onOk={() => form.submit()} onCancel={() => setSaying(undefined)} afterOpenChange={(is) => { if (is && saying) form.setFieldsValue({ purpose: saying.purpose, channel: saying.channel, source: saying.source }); else say.reset(); }} width={460}>
        <p className="lead">{t('consents.lead')}</p>
        <ProblemForm form={form} error={say.error} onFinish={(v) => saying && say.mutate({ consents: [{ ...v, granted: saying.granted }] })}>
          <Form.Item name="purpose" label={t('consents.purpose')}><Select options={purposes.map((p) => ({ value: p.purpose, label: named(p) }))} /></Form.Item>
          <Form.Item name="channel" label={t('consents.channel')}><Select options={channels.map((value) => ({ value, label: t(`channel.${value}`) }))} /></Form.Item>
          <Form.Item name="source" label={t('consents.source')} style={{ marginBottom: 8 }}><Select options={(['staff', 'phone', 'paper', 'till'] as const).map((value) => ({ value, label: t(`consents.where.${value}`) }))} /></Form.Item>
        </ProblemForm>
      </Modal>
    </section>
  );
}

function Said({ consent: c, name, who }: { consent: PrivacyConsentView; name: string; who: string }) {
  const { t } = useTranslation('member');
  return (
    <li>
      <p>{t(c.granted ? 'consents.gave' : 'consents.took', { what: name, channel: t(`channel.${c.channel}`) })}</p>
      <p className={styles.meta}><When at={c.at} /><span>{who}</span>{c.text_version ? <span>{t('consents.version', { version: c.text_version })}</span> : null}</p>
    </li>
  );
}
