import { Icon } from '@patron/shared/ui/icon.tsx';
import { Button, Input, Popover } from 'antd';
import type { TextAreaRef } from 'antd/es/input/TextArea';
import { useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useDraft } from './draft.ts';
import styles from './editor.module.css';
import help from './condition-text.module.css';
import { rootOf, useVocabulary, type Kind } from './vocabulary.ts';

/** A condition as text, with what may be asked behind a button: a click puts it where the caret is. */
export function ConditionText({ id, kind, text, onChange }: { id: string; kind: Kind; text: string; onChange: (text: string) => void }) {
  const { t } = useTranslation('rule');
  const { disabled } = useDraft();
  const area = useRef<TextAreaRef>(null);

  function put(piece: string) {
    const box = area.current?.resizableTextArea?.textArea;
    const [from, to] = box ? [box.selectionStart, box.selectionEnd] : [text.length, text.length];
    onChange(text.slice(0, from) + piece + text.slice(to));
    requestAnimationFrame(() => {
      box?.focus();
      box?.setSelectionRange(from + piece.length, from + piece.length);
    });
  }

  return (
    <>
      <Input.TextArea ref={area} id={id} data-kind={kind} className={styles.cond} spellCheck={false} autoSize={{ minRows: 2, maxRows: 12 }} maxLength={8000} disabled={disabled} aria-label={t('text.label')} placeholder={'member.tier.rank >= 2 && sale.total >= money("100")'} value={text} onChange={(e) => onChange(e.target.value)} />
      {!disabled && (
        <div>
          <Popover trigger="click" placement="bottomLeft" content={<Words kind={kind} onPick={put} />}>
            <Button size="small" icon={<Icon name="help" size={16} />}>{t('text.words')}</Button>
          </Popover>
        </div>
      )}
    </>
  );
}

function Words({ kind, onPick }: { kind: Kind; onPick: (piece: string) => void }) {
  const { t } = useTranslation('rule');
  const { entries, said } = useVocabulary(kind);
  const [q, setQ] = useState('');
  const found = (entries ?? []).filter((e) => `${e.name} ${e.en} ${e.zh}`.toLowerCase().includes(q.trim().toLowerCase()));
  return (
    <div className={help.box}>
      <Input allowClear autoFocus aria-label={t('text.find')} placeholder={t('text.find')} value={q} onChange={(e) => setQ(e.target.value)} />
      <ul className={help.list}>
        {found.map((e) => (
          <li key={e.name}>
            <button type="button" onClick={() => onPick(rootOf(e.name) === 'text' ? e.example : e.args?.length ? (/[\w.]+\([^)]*\)/.exec(e.example)?.[0] ?? e.name) : e.name)}>
              <b>{e.name}</b>
              <span>{said(e)}</span>
              <code>{e.example}</code>
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}
