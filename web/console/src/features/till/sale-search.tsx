import { api, ok } from '@patron/shared/api/client.ts';
import { asProblem } from '@patron/shared/api/problem.ts';
import type { SaleView } from '@patron/shared/api/schema.d.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { useState, type FormEvent } from 'react';
import { useTranslation } from 'react-i18next';
import { Trouble } from './dialog.tsx';
import { heard } from './sender.ts';
import styles from './till.module.css';

/** Finds sales by the number on their receipt. */
export function SaleSearch({ found, only }: { found: (sale: SaleView) => void; only?: SaleView['kind'] }) {
  const { t } = useTranslation('till');
  const { money, when } = useFormat();
  const [text, setText] = useState('');
  const [busy, setBusy] = useState(false);
  const [hits, setHits] = useState<SaleView[]>();
  const [problem, setProblem] = useState<string>();

  async function search(event: FormEvent) {
    event.preventDefault();
    const q = text.trim();
    if (!q || busy) return;
    setBusy(true);
    setProblem(undefined);
    try {
      const { sales } = await ok(api.GET('/v1/search', { params: { query: { q } }, signal: AbortSignal.timeout(8000) }));
      const list = (sales ?? []).filter((s) => !only || s.kind === only);
      if (list.length === 1) return found(list[0]!);
      setHits(list);
      if (list.length === 0) setProblem(t('search.none', { number: q }));
    } catch (error) {
      const refused = asProblem(error);
      heard(refused);
      setProblem(refused.status === 0 ? t('search.offline') : refused.message);
    } finally {
      setBusy(false);
    }
  }
  return (
    <>
      <form className={styles.askForm} role="search" onSubmit={(event) => void search(event)}>
        <label>{t('search.label')}<input value={text} autoFocus autoComplete="off" spellCheck={false} maxLength={130} onChange={(e) => setText(e.target.value)} /></label>
        <button type="submit" className={styles.button} disabled={busy}>{t('search.act')}<kbd>↵</kbd></button>
      </form>
      {problem && <Trouble>{problem}</Trouble>}
      {hits && hits.length > 0 && (
        <ul className={styles.queue}>
          {hits.map((s) => <li key={s.id}><button type="button" className={styles.rowButton} onClick={() => found(s)}><b>{s.document}</b><span>{when(s.at)}</span><span className={styles.num}>{money(s.total, s.currency)}</span></button></li>)}
        </ul>
      )}
    </>
  );
}
