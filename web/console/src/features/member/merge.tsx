import { api, ok } from '@patron/shared/api/client.ts';
import type { MergeMemberMergeInBody } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { useQuery } from '@tanstack/react-query';
import { App, Button, Form, Modal, Skeleton } from 'antd';
import { Fragment, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { useStores } from '../../frame/lookups.ts';
import { ProblemAlert } from '../../ui/problem-alert.tsx';
import type { ActProps } from './acts.tsx';
import styles from './act.module.css';
import { Amount } from './amount.tsx';
import { memberQuery } from './api.ts';
import { MemberField } from './member-field.tsx';

/** Joins two records of one person: who goes on, and what moves to them, side by side before it is done. */
export default function Merge({ member, open, onClose }: ActProps) {
  const { t } = useTranslation('member');
  const { named } = useFormat();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const stores = useStores();
  const [other, setOther] = useState<string>();
  const [turned, setTurned] = useState(false); // the other goes on
  const [from, into] = turned ? [member.id, other] : [other, member.id];
  const preview = useQuery({
    queryKey: ['merge', from, into],
    queryFn: () => ok(api.GET('/v1/members/{ref}/merge', { params: { path: { ref: from! }, query: { into: into! } } })),
    enabled: open && other !== undefined,
    retry: false,
  });
  const second = useQuery({ ...memberQuery(other ?? ''), enabled: open && other !== undefined });
  const merge = useWrite(({ ref, body }: { ref: string; body: MergeMemberMergeInBody }, key) => ok(api.POST('/v1/members/{ref}/merge', { body, params: { path: { ref }, header: { 'Idempotency-Key': key } } })), {
    invalidates: [['member'], ['members']],
    onSuccess: (survivor) => {
      onClose();
      void message.success(t('merge.done', { name: survivor.name || survivor.number }));
      void navigate(`/members/${survivor.id}`);
    },
  });
  const p = preview.data;
  const walletsOf = (id: string) => (id === member.id ? member.wallets : second.data?.wallets) ?? [];
  const rows: [string, ReactNode, ReactNode][] = p
    ? [
        [t('field.number'), p.from.number, p.into.number],
        [t('field.phone'), p.from.phone, p.into.phone],
        [t('field.email'), p.from.email, p.into.email],
        [t('field.joined'), <When key="f" at={p.from.joined_at} as="day" />, <When key="i" at={p.into.joined_at} as="day" />],
        [t('field.store'), stores.nameOf(p.from.store), stores.nameOf(p.into.store)],
      ]
    : [];
  return (
    <Modal
      open={open}
      title={t('merge.title')}
      width={640}
      okText={p ? t('merge.act', { name: p.into.name || p.into.number }) : t('acts.merge')}
      cancelText={t('merge.cancel')}
      okButtonProps={{ danger: true, disabled: !p, loading: merge.isPending }}
      onOk={() => from && into && merge.mutate({ ref: from, body: { into } })}
      onCancel={onClose}
      afterClose={() => {
        setOther(undefined);
        setTurned(false);
        merge.reset();
      }}
    >
      <p className="lead">{t('merge.lead')}</p>
      <ProblemAlert error={merge.error ?? preview.error} />
      <Form layout="vertical" component={false}>
        <Form.Item label={t('merge.other')} htmlFor="merge-other" style={{ marginBottom: 8 }}><MemberField id="merge-other" value={other} onChange={setOther} except={member.id} /></Form.Item>
      </Form>
      {other && preview.isPending && <Skeleton active />}
      {p && (
        <>
          <dl className={styles.sides}>
            <dt><Button size="small" type="text" icon={<Icon name="refresh" size={16} />} onClick={() => setTurned(!turned)}>{t('merge.turn')}</Button></dt>
            <dd className={styles.top}><span className="quiet">{t('merge.ends')}</span><br />{p.from.name || t('unnamed')}</dd>
            <dd className={styles.top}><span className="quiet">{t('merge.goesOn')}</span><br />{p.into.name || t('unnamed')}</dd>
            {rows.map(([label, a, b]) => <Fragment key={label}><dt>{label}</dt><dd>{a || '–'}</dd><dd>{b || '–'}</dd></Fragment>)}
            {walletsOf(p.into.id).map((w) => {
              const gain = walletsOf(p.from.id).find((x) => x.currency === w.currency)?.available ?? 0;
              return (
                <Fragment key={w.currency}>
                  <dt>{named(w)}</dt>
                  <dd><Amount amount={gain} currency={w.currency} /></dd>
                  <dd><Amount amount={w.available} currency={w.currency} />{gain !== 0 && <> <Icon name="right" size={14} style={{ verticalAlign: -2 }} /> <b><Amount amount={w.available + gain} currency={w.currency} /></b></>}</dd>
                </Fragment>
              );
            })}
          </dl>
          <div className={styles.gain}>
            <h3>{t('merge.moves', { name: p.into.name || p.into.number })}</h3>
            <ul>
              {p.identifiers?.map((i) => <li key={i.kind + i.value}><span className="quiet">{t(`identifiers.kind.${i.kind}`)}</span>{i.value}</li>)}
              {!!p.tags?.length && <li><span className="quiet">{t('field.tags')}</span>{p.tags.join(t('listComma'))}</li>}
              <li>{t('merge.history')}</li>
            </ul>
          </div>
        </>
      )}
    </Modal>
  );
}
