import { api, ok } from '@patron/shared/api/client.ts';
import { asProblem, type ApiProblem } from '@patron/shared/api/problem.ts';
import type { MemberView } from '@patron/shared/api/schema.d.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { lazy, Suspense, useImperativeHandle, useRef, useState, type FormEvent, type Ref } from 'react';
import { useTranslation } from 'react-i18next';
import { Trouble } from './dialog.tsx';
import { keepRecent, useRecent } from './device.ts';
import type { Member } from './order.ts';
import { isCode, refOf } from './queue.ts';
import { heard, useTill } from './sender.ts';
import styles from './till.module.css';

const Camera = lazy(() => import('./camera.tsx'));

export interface Finder {
  focus: () => void;
  find: (text: string) => void;
}

type Hit = Pick<MemberView, 'id' | 'number' | 'name' | 'phone' | 'tier'>;

const shown = 6; // of several that a name finds

/** Phone, card, member number or code, typed or scanned: who it is. */
export function Find({ ref, found, nobody }: { ref: Ref<Finder>; found: (member: Member) => void; nobody: () => void }) {
  const { t } = useTranslation('till');
  const { line } = useTill();
  const recent = useRecent();
  const input = useRef<HTMLInputElement>(null);
  const turn = useRef(0);
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const [hits, setHits] = useState<Hit[]>();
  const [problem, setProblem] = useState<string>();
  const [camera, setCamera] = useState(false);

  async function find(typed: string) {
    const word = typed.trim();
    setText(word);
    setHits(undefined);
    setProblem(undefined);
    if (word === '') return nobody();
    const mine = ++turn.current;
    setBusy(true);
    try {
      const list = await look(word);
      if (mine !== turn.current) return;
      if (list.length === 1) return await choose(list[0]!);
      if (list.length === 0) setProblem(t('find.none', { text: word }));
      setHits(list);
    } catch (error) {
      if (mine === turn.current) failed(asProblem(error), word);
    } finally {
      if (mine === turn.current) setBusy(false);
    }
  }

  function failed(error: ApiProblem, word: string) {
    heard(error);
    if (error.status !== 0) setProblem(error.message);
    else if (isCode(word)) setProblem(t('find.codeOffline'));
    else found(known(word) ?? { typed: word });
  }

  /** A member of lately, by number. */
  function known(word: string): Member | undefined {
    const one = recent.find((r) => r.number === word.replace(/^no:/, ''));
    return one && { id: one.id, number: one.number, name: one.name };
  }

  async function choose(member: Hit) {
    setBusy(true);
    const { id, number } = member;
    keepRecent(member);
    try {
      const wallets = await ok(api.GET('/v1/members/{ref}/wallets', { params: { path: { ref: id } }, signal: AbortSignal.timeout(8000) }));
      found({ id, number, ...(member.name ? { name: member.name } : {}), ...(member.phone ? { phone: member.phone } : {}), ...tierOf(member), wallets: wallets ?? [] });
    } catch (error) {
      heard(asProblem(error));
      found({ id, number, ...(member.name ? { name: member.name } : {}) });
    } finally {
      setBusy(false);
    }
  }

  useImperativeHandle(ref, () => ({
    focus: () => {
      input.current?.focus();
      input.current?.select();
    },
    find: (typed) => void find(typed),
  }));

  const submit = (event: FormEvent) => {
    event.preventDefault();
    void find(text);
  };

  return (
    <div className={styles.find}>
      <form onSubmit={submit} role="search">
        <label htmlFor="till-find">{t('find.label')}</label>
        <div className={styles.findField}>
          <input
            id="till-find" ref={input} value={text} autoFocus autoComplete="off" autoCapitalize="off" spellCheck={false} enterKeyHint="search" maxLength={200}
            placeholder={t('find.hint')} onChange={(e) => setText(e.target.value)}
          />
          <button type="button" className={styles.onCard} aria-label={t('camera.open')} onClick={() => setCamera(true)}><Icon name="scan" size={24} /></button>
        </div>
        <button type="submit" className={styles.onCard} disabled={busy}>{busy ? t('find.busy') : text.trim() ? t('find.act') : t('find.without')}<kbd>↵</kbd></button>
      </form>
      {problem && <Trouble>{problem}</Trouble>}
      {hits && hits.length > 0 && (
        <ul className={styles.hits} aria-label={t('find.several')}>
          {hits.map((m) => (
            <li key={m.id}>
              <button type="button" onClick={() => void choose(m)}>
                <b>{m.name || m.number}</b><span>{m.phone ?? m.number}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {!hits && recent.length > 0 && (
        <div className={styles.recent}>
          <h3>{t('find.recent')}</h3>
          <ul className={styles.hits}>
            {recent.slice(0, 4).map((r) => (
              <li key={r.id}>
                <button type="button" onClick={() => void (line === 'online' ? find(`no:${r.number}`) : found({ id: r.id, number: r.number, name: r.name }))}>
                  <b>{r.name || r.number}</b><span>{r.number}</span>
                </button>
              </li>
            ))}
          </ul>
        </div>
      )}
      {camera && (
        <Suspense fallback={null}>
          <Camera close={() => setCamera(false)} read={(code) => {
            setCamera(false);
            void find(code);
          }} />
        </Suspense>
      )}
    </div>
  );
}

/** A reference names one; the code of the portal holds for one asking, so it is asked about once. */
async function look(word: string): Promise<Hit[]> {
  const signal = AbortSignal.timeout(8000);
  const ref = refOf(word);
  if (ref) return [await ok(api.GET('/v1/members/{ref}', { params: { path: { ref } }, signal }))];
  const { items } = await ok(api.GET('/v1/members', { params: { query: { q: word, limit: shown } }, signal }));
  return items ?? [];
}

function tierOf(member: Hit): { tier?: string } {
  const tier = member.tier as { name?: string; code?: string } | string | null | undefined;
  const name = typeof tier === 'string' ? tier : (tier?.name ?? tier?.code);
  return name ? { tier: name } : {};
}
