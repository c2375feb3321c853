import { api, ok } from '@patron/shared/api/client.ts';
import { asProblem } from '@patron/shared/api/problem.ts';
import { Skeleton } from 'antd';
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useEffect, useId, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import type { Tree } from './builder.tsx';
import { ConditionText } from './condition-text.tsx';
import { useDraft } from './draft.ts';
import styles from './editor.module.css';
import type { Kind } from './vocabulary.ts';

const Builder = lazy(() => import('./builder.tsx'));

interface Props {
  kind: Kind;
  /** Where the faults of it lie: `condition`, `scope.line`. */
  at: string;
  text: string;
  onChange: (text: string) => void;
}

const turn = (body: { kind: Kind; text?: string; tree?: Tree }) => ok(api.POST('/v1/rules/tree', { body: body as { kind: Kind } }));
const empty: Tree = { combinator: 'and', rules: [] };

/**
 * A condition, in the builder or as text. The text is what counts: the builder's tree becomes text by the
 * server at each change, and text becomes a tree when somebody switches, where the builder can show it.
 */
export function Condition({ kind, at, text, onChange }: Props) {
  const { t } = useTranslation('rule');
  const { disabled, block } = useDraft();
  const id = useId();
  const [mode, setMode] = useState<'builder' | 'text'>('builder');
  const [tree, setTree] = useState<Tree | undefined>(text ? undefined : empty);
  const [made, setMade] = useState(text); // the text that the tree stands for
  const [note, setNote] = useState<string>();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const last = useRef(0);
  useEffect(() => () => clearTimeout(timer.current), []);

  // The tree of a text that came from elsewhere: a rule that was opened, a version, a template.
  const other = text !== made || tree === undefined;
  const read = useQuery({ queryKey: ['rule-tree', kind, text], queryFn: () => turn({ kind, text }), enabled: mode === 'builder' && other && text !== '', staleTime: Infinity, retry: false });
  if (mode === 'builder' && other) {
    if (text === '') {
      setTree(empty);
      setMade('');
    } else if (read.data) {
      setMade(text);
      if (read.data.tree) setTree(read.data.tree as unknown as Tree);
      else {
        setTree(empty);
        setMode('text');
        setNote(t('text.only'));
      }
    } else if (read.error) {
      setTree(empty);
      setMade(text);
      setMode('text');
    }
  }

  function change(next: Tree) {
    setTree(next);
    clearTimeout(timer.current);
    const mine = ++last.current;
    timer.current = setTimeout(() => {
      turn({ kind, tree: next }).then(
        (out) => {
          if (mine !== last.current) return;
          block(at, undefined);
          setMade(out.text);
          onChange(out.text);
        },
        (error: unknown) => mine === last.current && block(at, asProblem(error).message),
      );
    }, 200);
  }

  /** What the builder is about to say is no longer wanted: somebody writes. Until they do, it is what the text is about to be. */
  function hush() {
    clearTimeout(timer.current);
    last.current++;
  }

  async function toBuilder() {
    try {
      const out = await turn({ kind, text });
      if (!out.tree && text.trim()) return setNote(t('text.only'));
      setTree((out.tree as unknown as Tree) ?? empty);
      setMade(text);
      setNote(undefined);
      setMode('builder');
    } catch (error) {
      setNote(asProblem(error).message);
    }
  }

  return (
    <div className={styles.rows}>
      {mode === 'builder' ? (
        tree === undefined || text !== made
          ? <Skeleton active title={false} paragraph={{ rows: 2 }} />
          : <Suspense fallback={<Skeleton active title={false} paragraph={{ rows: 2 }} />}><Builder kind={kind} tree={tree} disabled={disabled} onChange={change} /></Suspense>
      ) : (
        <ConditionText id={id} kind={kind} text={text} onChange={(next) => {
          hush();
          setNote(undefined);
          onChange(next);
        }} />
      )}
      {note && <p className={styles.hint} role="status">{note}</p>}
      <div className={styles.add} style={{ marginLeft: 0 }}>
        {mode === 'builder'
          ? <button type="button" className="word" onClick={() => {
              setNote(undefined);
              block(at, undefined);
              setMode('text');
            }}>{t('text.toText')}</button>
          : <button type="button" className="word" onClick={() => void toBuilder()}>{t('text.toBuilder')}</button>}
      </div>
    </div>
  );
}
