import { api, ok } from '@patron/shared/api/client.ts';
import { useFormat } from '@patron/shared/format/use-format.ts';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { Money } from '@patron/shared/ui/money.tsx';
import { When } from '@patron/shared/ui/when.tsx';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { Input, Modal, type InputRef } from 'antd';
import { useDeferredValue, useEffect, useRef, useState, type KeyboardEvent, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate } from 'react-router';
import { asProblem } from '@patron/shared/api/problem.ts';
import styles from './search.module.css';

interface Hit {
  id: string;
  to: string;
  group: 'members' | 'sales' | 'products';
  text: ReactNode;
  more: ReactNode;
}

/** The search in the top bar: members, sales and products at once. `/` and Ctrl-K open it. */
export default function Search() {
  const { t } = useTranslation('insight');
  const [open, setOpen] = useState(false);
  useEffect(() => {
    const key = (event: globalThis.KeyboardEvent) => {
      const typing = (event.target as HTMLElement).closest('input,textarea,select,[contenteditable]');
      const slash = event.key === '/' && !typing && !event.ctrlKey && !event.metaKey && !event.altKey;
      const ctrlK = event.key.toLowerCase() === 'k' && (event.ctrlKey || event.metaKey);
      if (!slash && !ctrlK) return;
      event.preventDefault();
      setOpen(true);
    };
    document.addEventListener('keydown', key);
    return () => document.removeEventListener('keydown', key);
  }, []);
  return (
    <>
      <button type="button" className={styles.open} onClick={() => setOpen(true)} aria-label={t('search.open')}>
        <Icon name="search" size={18} />
        <span>{t('search.what')}</span>
        <kbd aria-hidden>/</kbd>
      </button>
      <Modal open={open} title={<span className="visually-hidden">{t('search.open')}</span>} onCancel={() => setOpen(false)} footer={null} closable={false} destroyOnHidden width={560} style={{ top: 72 }} styles={{ body: { minHeight: 64 } }}>
        <Box close={() => setOpen(false)} />
      </Modal>
    </>
  );
}

function Box({ close }: { close: () => void }) {
  const { t } = useTranslation('insight');
  const navigate = useNavigate();
  const input = useRef<InputRef>(null);
  const [text, setText] = useState('');
  const [at, setAt] = useState(0);
  const q = useDeferredValue(text.trim());
  const found = useQuery({
    queryKey: ['search', q],
    queryFn: ({ signal }) => get(q, signal),
    enabled: q !== '',
    placeholderData: keepPreviousData,
  });
  const hits = useHits(q === '' ? undefined : found.data);
  useEffect(() => {
    const timer = setTimeout(() => input.current?.focus(), 50); // after the dialog has taken the focus for itself
    return () => clearTimeout(timer);
  }, []);

  const go = (hit: Hit | undefined) => {
    if (!hit) return;
    close();
    void navigate(hit.to);
  };
  const key = (event: KeyboardEvent) => {
    if (event.nativeEvent.isComposing) return; // Enter belongs to the input method
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      if (hits.length) setAt((now) => (Math.min(now, hits.length - 1) + (event.key === 'ArrowDown' ? 1 : hits.length - 1)) % hits.length);
    } else if (event.key === 'Enter') {
      go(hits[at]);
    }
  };
  return (
    <>
      <Input
        ref={input}
        size="large"
        role="combobox"
        aria-label={t('search.what')}
        aria-expanded={hits.length > 0}
        aria-controls="search-hits"
        aria-activedescendant={hits[at] && `search-${hits[at].id}`}
        prefix={<Icon name="search" size={18} />}
        placeholder={t('search.what')}
        value={text}
        maxLength={100}
        onChange={(event) => {
          setText(event.target.value);
          setAt(0);
        }}
        onKeyDown={key}
      />
      {found.error && q !== '' && <p className={styles.said} role="alert">{asProblem(found.error).message}</p>}
      {found.data && hits.length === 0 && q !== '' && !found.isFetching && <p className={styles.said}>{t('search.none', { q })}</p>}
      <div id="search-hits" role="listbox" aria-label={t('search.open')}>
        {(['members', 'sales', 'products'] as const).map((group) => {
          const own = hits.filter((h) => h.group === group);
          if (own.length === 0) return null;
          return (
            <div key={group} role="group" aria-label={t(`search.${group}`)} className={styles.group}>
              <h3 aria-hidden>{t(`search.${group}`)}</h3>
              {own.map((hit) => (
                // The input keeps the focus: keys move the selection, and the pointer picks.
                // eslint-disable-next-line jsx-a11y/click-events-have-key-events, jsx-a11y/interactive-supports-focus
                <div key={hit.id} id={`search-${hit.id}`} role="option" aria-selected={hits[at] === hit} className={styles.hit} onMouseMove={() => setAt(hits.indexOf(hit))} onClick={() => go(hit)}>
                  <span>{hit.text}</span>
                  <span className={styles.more}>{hit.more}</span>
                </div>
              ))}
            </div>
          );
        })}
      </div>
    </>
  );
}

function useHits(found: Awaited<ReturnType<typeof get>> | undefined): Hit[] {
  const { named } = useFormat();
  const { t } = useTranslation('insight');
  return [
    ...(found?.members ?? []).map((m): Hit => ({ id: m.id, group: 'members', to: `/members/${m.id}`, text: m.name || t('search.unnamed'), more: [m.phone, m.number].filter(Boolean).join(' · ') })),
    ...(found?.sales ?? []).map((s): Hit => ({ id: s.id, group: 'sales', to: `/sales/${s.sale_id ?? s.id}`, text: s.document, more: <><Money amount={s.total} currency={s.currency} /> · <When at={s.at} /></> })),
    ...(found?.products ?? []).map((p): Hit => ({ id: p.sku, group: 'products', to: `/products/${encodeURIComponent(p.sku)}`, text: named({ name_en: p.name_en ?? p.sku, name_zh: p.name_zh ?? p.sku }), more: p.sku })),
  ];
}

const get = (q: string, signal: AbortSignal) => ok(api.GET('/v1/search', { params: { query: { q } }, signal }));
