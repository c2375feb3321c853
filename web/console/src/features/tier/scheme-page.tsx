import { api, ok } from '@patron/shared/api/client.ts';
import type { ApiProblem } from '@patron/shared/api/problem.ts';
import type { TierScheme, TierSchemeView } from '@patron/shared/api/schema.d.ts';
import { useWrite } from '@patron/shared/api/write.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useQuery } from '@tanstack/react-query';
import { App, Button, Dropdown, Form, Skeleton } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useParams } from 'react-router';
import { useCan } from '../../frame/me.ts';
import { Page } from '../../frame/page.tsx';
import { useUnsaved } from '../../frame/unsaved.tsx';
import { ProblemForm, pathOf } from '../../ui/problem-form.tsx';
import { Section, WithAside } from '../../ui/section.tsx';
import { ErrorState, NotFoundState } from '../../ui/states.tsx';
import { schemeQuery } from './api.ts';
import { CardPreview } from './card-preview.tsx';
import { End, DropDraft } from './end.tsx';
import { Publish } from './publish.tsx';
import { Rules } from './rules.tsx';
import { Rungs } from './rungs.tsx';
import { firstLadder, fromForm, schemeInWords, toForm, type Units, type Values } from './scheme.ts';
import styles from './scheme-page.module.css';
import { Spread } from './spread.tsx';
import { State } from './tiers-page.tsx';
import { useUnits } from './units.ts';
import { Versions } from './versions.tsx';
import { WhatIf } from './what-if.tsx';

/** One ladder: its rules, its rungs, what it would do, and how it goes live. */
export default function SchemePage() {
  const { t } = useTranslation('tier');
  const { code = '' } = useParams();
  const fresh = code === 'new';
  const one = useQuery({ ...schemeQuery(code), enabled: !fresh });
  const units = useUnits();
  const crumbs = [{ to: '/tiers', title: t('menu') }];
  if (units && fresh) return <Edit key="new" stored={undefined} units={units} />;
  if (units && one.data) return <Edit key={one.data.code} stored={one.data} units={units} />;
  return (
    <Page title={fresh ? t('add') : code} crumbs={crumbs}>
      <Section>{one.error?.status === 404 ? <NotFoundState /> : one.error ? <ErrorState error={one.error} retry={() => void one.refetch()} /> : <Skeleton active paragraph={{ rows: 10 }} />}</Section>
    </Page>
  );
}

type Open = 'publish' | 'versions' | 'end' | 'drop';

function Edit({ stored, units }: { stored: TierSchemeView | undefined; units: Units }) {
  const { t } = useTranslation('tier');
  const { named } = useFormat();
  const { message } = App.useApp();
  const navigate = useNavigate();
  const ended = stored?.state === 'ended';
  const may = useCan()('rules.write') && !ended;
  const [form] = Form.useForm<Values>();
  const [initial] = useState(() => (stored ? toForm((stored.draft ?? stored.live)!, units) : firstLadder(t)));
  const [dirty, setDirty] = useState(!stored);
  const [at, setAt] = useState(Math.max(0, initial.tiers.length - 1)); // the rung that is open
  const [open, setOpen] = useState<Open>();
  const [left, setLeft] = useState(false); // a new one is kept: the page may be left
  useUnsaved(dirty && !left && (stored !== undefined || form.isFieldsTouched()));

  const values = Form.useWatch([], { form, preserve: true }) as Values | undefined;
  const now = values?.tiers ? values : initial;
  const draft = fromForm(now, units);

  const save = useWrite(
    (body: TierScheme, key) => {
      const header = { 'Idempotency-Key': key };
      if (!stored) return ok(api.POST('/v1/tier-schemes', { body, params: { header } }));
      return ok(api.PUT('/v1/tier-schemes/{code}/draft', { body, params: { header, path: { code: stored.code }, query: { edited: stored.edited } } }));
    },
    { invalidates: [['tier-schemes']] },
  );
  const kept = (then?: Open) => (out: TierSchemeView) => {
    setDirty(false);
    setLeft(true);
    if (!stored) void navigate(`/tiers/${out.code}`, { replace: true });
    else setLeft(false);
    if (then) setOpen(then);
    else void message.success(t('saved'));
  };
  /** A refusal about a rung opens it, so that its field is in sight. */
  const show = (error: ApiProblem) => {
    const place = error.fields.map((f) => pathOf(f.location)).find(([part, i]) => part === 'tiers' && typeof i === 'number');
    if (place) setAt(place[1] as number);
  };
  const submit = (then?: Open) => (dirty ? save.mutate(draft, { onSuccess: kept(then), onError: show }) : then && setOpen(then));

  const change = (patch: Partial<Values>) => {
    form.setFieldsValue(patch);
    setDirty(true);
  };
  const more = stored ? [
    { key: 'versions', label: t('versions.open'), disabled: stored.version === 0, onClick: () => setOpen('versions') },
    ...(may && stored.live && stored.draft ? [{ key: 'drop', label: t('drop.open'), onClick: () => setOpen('drop') }] : []),
    ...(may && stored.state === 'live' ? [{ key: 'end', danger: true, label: t('end.open'), onClick: () => setOpen('end') }] : []),
  ] : [];
  const pending = dirty || !!stored?.draft;
  return (
    <Page
      title={stored ? named(now) : t('add')}
      crumbs={[{ to: '/tiers', title: t('menu') }]}
      actions={
        <>
          {may && <Button disabled={!dirty} loading={save.isPending} onClick={() => submit()}>{t('save')}</Button>}
          {may && stored && <Button type="primary" disabled={!pending} onClick={() => submit('publish')}>{t('publish.open')}</Button>}
          {more.length > 0 && <Dropdown trigger={['click']} placement="bottomRight" menu={{ items: more }}><Button icon={<Icon name="more" />} aria-label={t('more')} /></Dropdown>}
        </>
      }
    >
      <ProblemForm<Values> form={form} error={save.error} className={styles.form} disabled={!may} initialValues={initial} onValuesChange={() => setDirty(true)} preserve>
        <WithAside
          width={360}
          aside={
            <>
              <Section title={t('preview.title')}><CardPreview scheme={draft} at={at} /></Section>
              <Section title={t('try.title')} note={t('try.note')}><WhatIf scheme={draft} stored={stored} /></Section>
            </>
          }
        >
          <Section>
            {stored && <p className={styles.state}><State scheme={stored} />{stored.draft && stored.live && <span className="quiet">{t('state.beside', { version: stored.version })}</span>}</p>}
            <p className={styles.words}>{schemeInWords(t, draft).join(t('words.join'))}{t('words.end')}</p>
            <Rules scheme={now} fresh={!stored} change={change} />
          </Section>
          <Section title={t('rungs.title')} note={t('rungs.note')}>
            <Rungs scheme={now} draft={draft} live={stored?.live} at={at} setAt={setAt} change={change} may={may} units={units} />
          </Section>
          {stored?.state === 'live' && <Section><Spread code={stored.code} scheme={draft} /></Section>}
        </WithAside>
      </ProblemForm>
      {stored && (
        <>
          <Publish open={open === 'publish'} scheme={stored} onClose={() => setOpen(undefined)} />
          <Versions open={open === 'versions'} scheme={stored} onClose={() => setOpen(undefined)} onTake={may ? (s) => {
            form.setFieldsValue(toForm(s, units));
            setDirty(true);
            setOpen(undefined);
          } : undefined} />
          <End open={open === 'end'} scheme={stored} onClose={() => setOpen(undefined)} />
          <DropDraft open={open === 'drop'} scheme={stored} onClose={() => setOpen(undefined)} onDone={(s) => {
            if (s.live) form.setFieldsValue(toForm(s.live, units));
            setDirty(false);
          }} />
        </>
      )}
    </Page>
  );
}
