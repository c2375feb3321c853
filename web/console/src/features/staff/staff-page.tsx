import { api, ok } from '@patron/shared/api/client.ts';
import type { StaffAccountView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { StatusTag } from '@patron/shared/ui/status-tag.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { App, Button, Dropdown, Form, Input, Modal, Select } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Page } from '../../frame/page.tsx';
import { ConfirmDialog } from '../../ui/confirm-dialog.tsx';
import { CopyField } from '../../ui/copy-field.tsx';
import { useFilters } from '../../ui/filters.ts';
import { FormDrawer } from '../../ui/form-drawer.tsx';
import { KeysetTable, type KeysetColumn } from '../../ui/keyset-table.tsx';
import { SearchField } from '../../ui/search-field.tsx';
import { Section } from '../../ui/section.tsx';
import { SettingsTabs } from '../../ui/settings-tabs.tsx';
import { PasswordField } from './password-field.tsx';
import { Reach, ReachFields } from './reach.tsx';
import { useRoles, type Role } from './roles.ts';
import { useLast } from '../../ui/use-last.ts';

const touched = [['staff'], ['colleagues'], ['me']];

/** The people who work here: who they are, what they may do and where, and whether they can sign in. */
export default function StaffPage() {
  const { t } = useTranslation('staff');
  const { message } = App.useApp();
  const { roles, roleName } = useRoles();
  const filters = useFilters(['q', 'role', 'state'] as const);
  const f = filters.values;
  const query = { q: f.q, role: roles.find((r) => r.name === f.role)?.name, state: f.state === 'active' || f.state === 'disabled' ? f.state : undefined } as const;
  const [edited, setEdited] = useState<StaffAccountView | 'new'>();
  const [given, setGiven] = useState<Given>(); // a password that was just made, to be handed over
  const [renewed, setRenewed] = useState<StaffAccountView>();
  const [turned, setTurned] = useState<StaffAccountView>();
  const turn = useWrite(({ id, active }: { id: string; active: boolean }, key) => ok(api.PATCH('/v1/staff/{id}', { body: { active }, params: { path: { id }, header: { 'Idempotency-Key': key } } })), {
    invalidates: touched,
    onSuccess: () => setTurned(undefined),
  });
  const [signedOut, setSignedOut] = useState<StaffAccountView>();
  const signOut = useWrite(({ id }: { id: string }, key) => ok(api.POST('/v1/staff/{id}/sign-out', { params: { path: { id }, header: { 'Idempotency-Key': key } } })), {
    onSuccess: () => {
      setSignedOut(undefined);
      void message.success(t('signOut.done'));
    },
  });
  const columns: KeysetColumn<StaffAccountView>[] = [
    { key: 'name', title: t('column.name'), render: (_, a) => <><button type="button" className="word" onClick={() => setEdited(a)}>{a.name}</button><div className="quiet">{a.email}</div></> },
    { key: 'role', title: t('column.role'), render: (_, a) => roleName(a.role) },
    { key: 'reach', title: t('column.reach'), render: (_, a) => <Reach of={a} /> },
    { key: 'state', title: t('column.state'), render: (_, a) => <Active active={a.active} /> },
    { key: 'since', title: t('column.since'), optional: true, render: (_, a) => <When at={a.created_at} as="day" /> },
    {
      key: 'act',
      near: true,
      title: t('column.act'),
      render: (_, a) => (
        <span style={{ display: 'inline-flex', gap: 16 }}>
          <button type="button" className="word" style={{ padding: 0 }} onClick={() => setEdited(a)}>{t('act.edit')}</button>
          <Dropdown
            trigger={['click']}
            menu={{
              items: [
                { key: 'password', label: t('act.password') },
                { key: 'out', label: t('act.signOut') },
                { key: 'turn', label: t(a.active ? 'act.disable' : 'act.enable'), danger: a.active },
              ],
              onClick: ({ key }) => (key === 'password' ? setRenewed(a) : key === 'out' ? setSignedOut(a) : setTurned(a)),
            }}
          >
            <button type="button" className="word" style={{ padding: 0 }} aria-label={t('act.moreOf', { name: a.name })}>{t('act.more')}</button>
          </Dropdown>
        </span>
      ),
    },
  ];
  const off = turned?.active ?? false;
  return (
    <Page title={t('title')} actions={<Button type="primary" onClick={() => setEdited('new')}>{t('add')}</Button>}>
      <SettingsTabs />
      <Section>
        <KeysetTable<StaffAccountView>
          name="staff"
          queryKey={['staff', query]}
          fetch={(cursor) => ok(api.GET('/v1/staff', { params: { query: { ...query, cursor, limit: 50 } } }))}
          columns={columns}
          rowKey={(a) => a.id}
          filtered={filters.active}
          onClear={filters.clear}
          empty={<Blank drawing="members" title={t('none')} />}
          filters={
            <>
              <SearchField value={f.q ?? ''} label={t('search')} onChange={(q) => filters.set({ q })} />
              <Select allowClear style={{ width: 150 }} placeholder={t('column.role')} aria-label={t('column.role')} value={f.role} onChange={(role: string | undefined) => filters.set({ role })} options={roles.map((r) => ({ value: r.name, label: r.label }))} />
              <Select allowClear style={{ width: 150 }} placeholder={t('column.state')} aria-label={t('column.state')} value={f.state} onChange={(state: string | undefined) => filters.set({ state })} options={[{ value: 'active', label: t('state.active') }, { value: 'disabled', label: t('state.disabled') }]} />
            </>
          }
        />
      </Section>
      <EditStaff account={edited} onClose={() => setEdited(undefined)} onMade={setGiven} />
      <NewPassword account={renewed} onClose={() => setRenewed(undefined)} onMade={setGiven} />
      <HandOver given={given} onClose={() => setGiven(undefined)} />
      <ConfirmDialog
        open={turned !== undefined}
        title={turned ? t(off ? 'turn.disableTitle' : 'turn.enableTitle', { name: turned.name }) : ''}
        change={[{ label: t('column.state'), before: t(off ? 'state.active' : 'state.disabled'), after: t(off ? 'state.disabled' : 'state.active') }]}
        act={t(off ? 'act.disable' : 'act.enable')}
        cancel={t('cancel')}
        danger={off}
        pending={turn.isPending}
        error={turn.error}
        onOk={() => turned && turn.mutate({ id: turned.id, active: !turned.active })}
        onCancel={() => {
          setTurned(undefined);
          turn.reset();
        }}
      >
        <p className="lead">{t(off ? 'turn.disableText' : 'turn.enableText')}</p>
      </ConfirmDialog>
      <ConfirmDialog
        open={signedOut !== undefined}
        title={signedOut ? t('signOut.title', { name: signedOut.name }) : ''}
        act={t('act.signOut')}
        cancel={t('cancel')}
        pending={signOut.isPending}
        error={signOut.error}
        onOk={() => signedOut && signOut.mutate({ id: signedOut.id })}
        onCancel={() => {
          setSignedOut(undefined);
          signOut.reset();
        }}
      >
        <p className="lead">{t('signOut.text')}</p>
      </ConfirmDialog>
    </Page>
  );
}

function Active({ active }: { active: boolean }) {
  const { t } = useTranslation('staff');
  return active ? <StatusTag tone="success">{t('state.active')}</StatusTag> : <StatusTag tone="plain" icon="lock">{t('state.disabled')}</StatusTag>;
}

interface Values {
  email: string;
  name: string;
  role?: Role;
  merchants?: string[];
  stores?: string[];
  password: string;
}

function EditStaff({ account, onClose, onMade }: { account: StaffAccountView | 'new' | undefined; onClose: () => void; onMade: (given: Given) => void }) {
  const { t } = useTranslation('staff');
  const { roles } = useRoles();
  const old = account === 'new' ? undefined : account;
  const save = useWrite(
    async ({ id, values }: { id: string | undefined; values: Values }, key) => {
      const header = { 'Idempotency-Key': key };
      const { name, role, merchants = [], stores = [] } = values;
      if (id) return { account: await ok(api.PATCH('/v1/staff/{id}', { body: { name: name.trim(), role, merchants, stores }, params: { path: { id }, header } })), password: undefined };
      const made = await ok(api.POST('/v1/staff', { body: { email: values.email.trim(), name: name.trim(), role: role!, password: values.password, merchants, stores }, params: { header } }));
      return { account: made, password: values.password };
    },
    {
      invalidates: touched,
      onSuccess: ({ account: made, password }) => {
        onClose();
        if (password) onMade({ name: made.name, email: made.email, password });
      },
    },
  );
  const initial: Values = old ? { ...old, merchants: old.merchants ?? [], stores: old.stores ?? [], password: '' } : { email: '', name: '', merchants: [], stores: [], password: '' };
  return (
    <FormDrawer<Values> open={account !== undefined} title={old ? t('edit.title', { name: old.name }) : t('add')} act={old ? t('edit.act') : t('add')} first={old ? 'name' : 'email'} initial={initial} write={save} onSave={(values) => save.mutate({ id: old?.id, values })} onClose={onClose}>
      {!old && <Form.Item name="email" label={t('field.email')} extra={t('field.emailHelp')} rules={[{ required: true, whitespace: true, message: t('field.emailNeeded') }]}><Input type="email" autoComplete="off" maxLength={254} /></Form.Item>}
      <Form.Item name="name" label={t('field.name')} rules={[{ required: true, whitespace: true, message: t('field.nameNeeded') }]}><Input autoComplete="off" maxLength={100} /></Form.Item>
      <Form.Item name="role" label={t('field.role')} rules={[{ required: true, message: t('field.roleNeeded') }]}>
        <Select options={roles.map((r) => ({ value: r.name, label: r.label }))} optionRender={(o) => <>{o.label}<div className="quiet" style={{ whiteSpace: 'normal' }}>{t(`roleText.${o.value as Role}`)}</div></>} />
      </Form.Item>
      <ReachFields />
      {!old && <PasswordField />}
    </FormDrawer>
  );
}

function NewPassword({ account, onClose, onMade }: { account: StaffAccountView | undefined; onClose: () => void; onMade: (given: Given) => void }) {
  const { t } = useTranslation('staff');
  const set = useWrite(
    async ({ of, password }: { of: StaffAccountView; password: string }, key) => {
      await ok(api.POST('/v1/staff/{id}/password', { body: { password }, params: { path: { id: of.id }, header: { 'Idempotency-Key': key } } }));
      return { name: of.name, email: of.email, password };
    },
    {
      onSuccess: (given) => {
        onClose();
        onMade(given);
      },
    },
  );
  return (
    <FormDrawer<{ password: string }> open={account !== undefined} title={account ? t('password.title', { name: account.name }) : ''} act={t('password.act')} first="password" initial={{ password: '' }} write={set} onSave={({ password }) => account && set.mutate({ of: account, password })} onClose={onClose}>
      <p className="lead">{t('password.lead')}</p>
      <PasswordField />
    </FormDrawer>
  );
}

interface Given {
  name: string;
  email: string;
  password: string;
}

/** What the person needs to sign in, once: the password is kept as a hash and cannot be shown again. */
function HandOver({ given, onClose }: { given: Given | undefined; onClose: () => void }) {
  const { t } = useTranslation('staff');
  const title = useLast(given && t('given.title', { name: given.name }));
  return (
    <Modal open={given !== undefined} title={title} onCancel={onClose} mask={{ closable: false }} footer={<Button type="primary" onClick={onClose}>{t('given.done')}</Button>} width={480}>
      {given && (
        <div style={{ display: 'grid', gap: 12 }}>
          <p className="lead" style={{ margin: 0 }}>{t('given.text')}</p>
          <label><span className="quiet">{t('given.address')}</span><CopyField label={t('given.address')} value={`${location.origin}/`} /></label>
          <label><span className="quiet">{t('field.email')}</span><CopyField label={t('field.email')} value={given.email} /></label>
          <label><span className="quiet">{t('password.label')}</span><CopyField label={t('password.label')} value={given.password} /></label>
        </div>
      )}
    </Modal>
  );
}
