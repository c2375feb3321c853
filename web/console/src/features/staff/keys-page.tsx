import { api, ok } from '@patron/shared/api/client.ts';
import type { StaffKeyView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { Alert, Button, Checkbox, DatePicker, Form, Input, Modal, Radio, Select } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useActors } from '../../frame/lookups.ts';
import { useMe } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { CopyField } from '../../ui/copy-field.tsx';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { KeysetTable, type KeysetColumn } from '../../ui/keyset-table.tsx';
import { ReasonDialog } from '../../ui/reason-dialog.tsx';
import { Section } from '../../ui/section.tsx';
import { SettingsTabs } from '../../ui/settings-tabs.tsx';
import { Reach, ReachFields } from './reach.tsx';
import { useRoles } from './roles.ts';
import styles from './keys-page.module.css';
import { useLast } from '../../ui/use-last.ts';

const touched = [['keys']];
const all = 'all';

type State = 'valid' | 'expired' | 'revoked';
const stateOf = (k: StaffKeyView): State => (k.revoked_at ? 'revoked' : k.expires_at && new Date(k.expires_at) <= new Date() ? 'expired' : 'valid');

/** The keys that let machines in: what each may do, where and until when. A secret is shown once. */
export default function KeysPage() {
  const { t } = useTranslation('staff');
  const actor = useActors();
  const { permissionName } = useRoles();
  const [adding, setAdding] = useState(false);
  const [made, setMade] = useState<StaffKeyView>();
  const [revoked, setRevoked] = useState<StaffKeyView>();
  const [rotated, setRotated] = useState<StaffKeyView>();
  const revoke = useWrite(({ id, reason }: { id: string; reason: string }, key) => ok(api.DELETE('/v1/keys/{id}', { params: { path: { id }, query: { reason }, header: { 'Idempotency-Key': key } } })), {
    invalidates: touched,
    onSuccess: () => setRevoked(undefined),
  });
  const rotate = useWrite(({ id }: { id: string }, key) => ok(api.POST('/v1/keys/{id}/rotate', { body: {}, params: { path: { id }, header: { 'Idempotency-Key': key } } })), {
    invalidates: touched,
    onSuccess: (k) => {
      setRotated(undefined);
      setMade(k);
    },
  });
  const scopesOf = (k: StaffKeyView) => (k.scopes?.includes(all) ? t('keys.all') : (k.scopes ?? []).map(permissionName).join(t('reach.comma')));
  const columns: KeysetColumn<StaffKeyView>[] = [
    { key: 'name', title: t('keys.name'), render: (_, k) => <>{k.name}<div className="quiet"><code>{k.prefix}…</code></div></> },
    { key: 'kind', title: t('keys.kind'), render: (_, k) => (k.test ? <StatusTag tone="info" icon="job">{t('keys.test')}</StatusTag> : <StatusTag tone="primary" icon="key">{t('keys.live')}</StatusTag>) },
    { key: 'scopes', title: t('keys.may'), render: (_, k) => <span className={styles.scopes}>{scopesOf(k)}</span> },
    { key: 'reach', title: t('column.reach'), render: (_, k) => <Reach of={k} /> },
    { key: 'used', title: t('keys.used'), render: (_, k) => (k.used_at ? <When at={k.used_at} /> : t('keys.never')) },
    { key: 'state', title: t('column.state'), render: (_, k) => <KeyState of={k} /> },
    { key: 'networks', title: t('keys.networks'), optional: true, render: (_, k) => (k.networks?.length ? k.networks.join(', ') : t('keys.anywhere')) },
    { key: 'made', title: t('keys.made'), optional: true, render: (_, k) => <><When at={k.created_at} as="day" /><div className="quiet">{actor(k.created_by)}</div></> },
    {
      key: 'act',
      near: true,
      title: t('column.act'),
      render: (_, k) => stateOf(k) === 'valid' && (
        <span style={{ display: 'inline-flex', gap: 16 }}>
          <button type="button" className="word" style={{ padding: 0 }} onClick={() => setRotated(k)}>{t('keys.rotate')}</button>
          <button type="button" className="word" style={{ padding: 0 }} onClick={() => setRevoked(k)}>{t('keys.revoke')}</button>
        </span>
      ),
    },
  ];
  return (
    <Page title={t('keys.title')} actions={<Button type="primary" onClick={() => setAdding(true)}>{t('keys.add')}</Button>}>
      <SettingsTabs />
      <Section>
        <p className="lead">{t('keys.lead')} <a href="/docs" target="_blank" rel="noreferrer" style={{ textDecoration: 'underline' }}>{t('keys.docs')}</a></p>
        <KeysetTable<StaffKeyView>
          name="keys"
          queryKey={['keys']}
          fetch={(cursor) => ok(api.GET('/v1/keys', { params: { query: { cursor, limit: 50 } } }))}
          columns={columns}
          rowKey={(k) => k.id}
          empty={<Blank drawing="result" title={t('keys.none')} text={t('keys.noneText')} action={<Button onClick={() => setAdding(true)}>{t('keys.add')}</Button>} />}
        />
      </Section>
      <AddKey open={adding} onClose={() => setAdding(false)} onMade={setMade} />
      <Secret of={made} onClose={() => setMade(undefined)} />
      <ReasonDialog
        open={revoked !== undefined}
        title={revoked ? t('keys.revokeTitle', { name: revoked.name }) : ''}
        change={[{ label: t('column.state'), before: t('keys.state.valid'), after: t('keys.state.revoked') }]}
        act={t('keys.revoke')}
        cancel={t('cancel')}
        danger
        reasonLabel={t('keys.reason')}
        pending={revoke.isPending}
        error={revoke.error}
        onSubmit={(reason) => revoked && revoke.mutate({ id: revoked.id, reason })}
        onCancel={() => {
          setRevoked(undefined);
          revoke.reset();
        }}
      >
        <p className="lead">{revoked?.used_at ? <>{t('keys.revokeUsed')} <When at={revoked.used_at} /></> : t('keys.revokeNever')}</p>
      </ReasonDialog>
      <ConfirmDialog
        open={rotated !== undefined}
        title={rotated ? t('keys.rotateTitle', { name: rotated.name }) : ''}
        act={t('keys.rotate')}
        cancel={t('cancel')}
        pending={rotate.isPending}
        error={rotate.error}
        onOk={() => rotated && rotate.mutate({ id: rotated.id })}
        onCancel={() => {
          setRotated(undefined);
          rotate.reset();
        }}
      >
        <p className="lead">{t('keys.rotateText')}</p>
      </ConfirmDialog>
    </Page>
  );
}

function KeyState({ of: k }: { of: StaffKeyView }) {
  const { t } = useTranslation('staff');
  const state = stateOf(k);
  const until = k.revoked_at ?? k.expires_at;
  return (
    <>
      <StatusTag tone={state === 'valid' ? 'success' : 'plain'} icon={state === 'valid' ? undefined : 'lock'}>{t(`keys.state.${state}`)}</StatusTag>
      {until && <div className="quiet">{state === 'valid' ? <>{t('keys.until')} <When at={until} as="deadline" /></> : <When at={until} />}</div>}
    </>
  );
}

interface Values {
  name: string;
  kind: 'live' | 'test';
  range: 'all' | 'some';
  scopes?: string[];
  merchants?: string[];
  stores?: string[];
  networks?: string[];
  expires?: Dayjs | null;
}

function AddKey({ open, onClose, onMade }: { open: boolean; onClose: () => void; onMade: (key: StaffKeyView) => void }) {
  const { t } = useTranslation('staff');
  const { permissions } = useRoles();
  // Nobody gives away what they do not have themselves.
  const held = useMe().permissions ?? [];
  const givable = permissions.filter((p) => held.includes(p.name));
  const everything = permissions.length > 0 && givable.length === permissions.length;
  const add = useWrite(
    (v: Values, key) =>
      ok(api.POST('/v1/keys', {
        body: {
          name: v.name.trim(),
          scopes: v.range === all ? [all] : (v.scopes ?? []),
          test: v.kind === 'test',
          stores: v.stores?.length ? v.stores : undefined,
          merchants: v.merchants?.length ? v.merchants : undefined,
          networks: v.networks?.length ? v.networks : undefined,
          expires_at: v.expires ? v.expires.add(1, 'day').format('YYYY-MM-DD') : undefined, // the chosen day is its last
        },
        params: { header: { 'Idempotency-Key': key } },
      })),
    {
      invalidates: touched,
      onSuccess: (k) => {
        onClose();
        onMade(k);
      },
    },
  );
  return (
    <FormDrawer<Values> open={open} title={t('keys.add')} act={t('keys.add')} first="name" initial={{ name: '', kind: 'live', range: 'some', scopes: [] }} write={add} onSave={(values) => add.mutate(values)} onClose={onClose}>
      <Form.Item name="name" label={t('keys.name')} extra={t('keys.nameHelp')} rules={[{ required: true, whitespace: true, message: t('keys.nameNeeded') }]}><Input maxLength={100} autoComplete="off" /></Form.Item>
      <Form.Item name="kind" label={t('keys.kind')} extra={t('keys.kindHelp')}><Radio.Group options={[{ value: 'live', label: t('keys.live') }, { value: 'test', label: t('keys.test') }]} /></Form.Item>
      {everything && <Form.Item name="range" label={t('keys.may')}><Radio.Group options={[{ value: 'some', label: t('keys.some') }, { value: all, label: t('keys.all') }]} /></Form.Item>}
      <Form.Item noStyle dependencies={['range']}>
        {({ getFieldValue }) => getFieldValue('range') !== all && (
          <Form.Item name="scopes" label={everything ? undefined : t('keys.may')} rules={[{ required: true, type: 'array', min: 1, message: t('keys.scopesNeeded') }]}>
            <Choices label={t('keys.may')} of={givable} />
          </Form.Item>
        )}
      </Form.Item>
      <ReachFields />
      <Form.Item name="networks" label={t('keys.networks')} extra={t('keys.networksHelp')}><Select mode="tags" open={false} suffixIcon={null} tokenSeparators={[',', '，', ' ']} placeholder={t('keys.anywhere')} /></Form.Item>
      <Form.Item name="expires" label={t('keys.last')} extra={t('keys.lastHelp')}><DatePicker style={{ width: 200 }} disabledDate={(d) => d.isBefore(dayjs(), 'day')} /></Form.Item>
    </FormDrawer>
  );
}

/** The permissions to tick. A group takes none of the other marks that a form gives to a field. */
function Choices({ id, label, of, value, onChange }: { id?: string; label: string; of: { name: string; label: string }[]; value?: string[]; onChange?: (value: string[]) => void }) {
  return (
    <div id={id} role="group" aria-label={label}>
      <Checkbox.Group className={styles.choices} value={value} onChange={onChange}>
        {of.map((p) => <Checkbox key={p.name} value={p.name}>{p.label} <span className="quiet">{p.name}</span></Checkbox>)}
      </Checkbox.Group>
    </div>
  );
}

/** The secret, this once. */
function Secret({ of: k, onClose }: { of: StaffKeyView | undefined; onClose: () => void }) {
  const { t } = useTranslation('staff');
  const title = useLast(k && t('secret.title', { name: k.name }));
  return (
    <Modal open={k !== undefined} title={title} closable={false} keyboard={false} mask={{ closable: false }} footer={<Button type="primary" onClick={onClose}>{t('secret.done')}</Button>} width={560}>
      {k && (
        <div style={{ display: 'grid', gap: 12 }}>
          <Alert type="warning" showIcon title={t('secret.once')} />
          <CopyField label={t('secret.label')} value={k.secret ?? ''} />
          <p className="quiet">{t('secret.use')} <code>Authorization: Bearer {k.prefix}…</code></p>
        </div>
      )}
    </Modal>
  );
}
