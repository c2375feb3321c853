import { asProblem } from '@patron/shared/api/problem.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { useEffect, useId, useRef, useState, type ButtonHTMLAttributes, type InputHTMLAttributes, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { Link } from 'react-router';
import { useTitle } from './program.ts';

interface PageProps {
  title: string;
  /** The page that the arrow leads to; tabs have none. */
  back?: string;
  children: ReactNode;
}

/** A page under the shell: its title, and the way back. */
export function Page({ title, back, children }: PageProps) {
  const { t } = useTranslation('frame');
  useTitle(title);
  return (
    <main className="page">
      <header className="top">
        {back && <Link className="iconbtn" to={back} aria-label={t('back')}><Icon name="back" size={24} /></Link>}
        <h1>{title}</h1>
      </header>
      {children}
    </main>
  );
}

interface ButtonProps extends ButtonHTMLAttributes<HTMLButtonElement> {
  look?: 'filled' | 'line' | 'text' | 'danger' | 'danger-filled';
  busy?: boolean;
}

export function Button({ look = 'line', busy, disabled, className = '', type = 'button', children, ...rest }: ButtonProps) {
  return <button type={type} className={`btn ${look} ${className}`} disabled={disabled || busy} aria-busy={busy || undefined} {...rest}>{children}</button>;
}

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  label: string;
  help?: ReactNode;
  /** How to mend it; takes the place of the help. */
  error?: string;
}

/** Label above, help below; an error replaces the help. */
export function Field({ label, help, error, ...rest }: FieldProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <input id={id} aria-invalid={!!error || undefined} aria-describedby={error || help ? `${id}-note` : undefined} {...rest} />
      {(error || help) && <p id={`${id}-note`} className={error ? 'note bad' : 'note'}>{error ?? help}</p>}
    </div>
  );
}

interface SelectProps {
  label: string;
  value: string;
  onChange: (value: string) => void;
  options: { value: string; label: string }[];
}

export function Select({ label, value, onChange, options }: SelectProps) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>{label}</label>
      <select id={id} value={value} onChange={(e) => onChange(e.target.value)}>
        {options.map((o) => <option key={o.value} value={o.value}>{o.label}</option>)}
      </select>
    </div>
  );
}

/** One of a few, side by side. */
export function Choice({ label, value, onChange, options }: SelectProps) {
  const name = useId();
  return (
    <fieldset className="choice">
      <legend className="visually-hidden">{label}</legend>
      {options.map((o) => (
        <label key={o.value} className={o.value === value ? 'on' : undefined}>
          <input type="radio" name={name} value={o.value} checked={o.value === value} onChange={() => onChange(o.value)} />
          <span>{o.label}</span>
        </label>
      ))}
    </fieldset>
  );
}

/** What the API says of a part of the request: `fieldError(error, 'phone')`. */
export function fieldError(error: unknown, name: string): string | undefined {
  return error ? asProblem(error).fields.find((f) => f.location === `body.${name}`)?.message : undefined;
}

/** A refusal, as it is; without what stands beside the fields named. */
export function Refusal({ error, beside = [] }: { error: unknown; beside?: string[] }) {
  if (!error) return null;
  const problem = asProblem(error);
  const others = problem.fields.filter((f) => !beside.includes(f.location.replace(/^body\./, '')));
  if (problem.fields.length > 0 && others.length === 0) return null;
  return (
    <div className="alert bad" role="alert">
      <Icon name="warning" />
      <span>{problem.fields.length > 0 ? others.map((f) => f.message).join(' ') : problem.message}</span>
    </div>
  );
}

/** It was not read: what is safe, and trying again. */
export function Failed({ error, retry }: { error: unknown; retry: () => void }) {
  const { t } = useTranslation();
  return (
    <div role="alert">
      <Blank drawing="error" title={t('ui:error.title')} text={asProblem(error).message} action={<Button onClick={retry}>{t('ui:error.retry')}</Button>} />
    </div>
  );
}

/** Bars in the place of what comes, after 300 ms. */
export function Skeleton({ height, rows = 1 }: { height: number; rows?: number }) {
  const { t } = useTranslation('frame');
  return (
    <div className="blk list" role="status" aria-label={t('loading')}>
      {Array.from({ length: rows }, (_, i) => <div key={i} className="skeleton" style={{ height }}><i /><i /></div>)}
    </div>
  );
}

interface DialogProps {
  title: string;
  onClose: () => void;
  children: ReactNode;
}

/** A sheet from below; the browser keeps the focus in it and Escape closes it. */
export function Dialog({ title, onClose, children }: DialogProps) {
  const { t } = useTranslation('frame');
  const ref = useRef<HTMLDialogElement>(null);
  const id = useId();
  useEffect(() => ref.current?.showModal(), []);
  return (
    <dialog ref={ref} className="dialog" aria-labelledby={id} onClose={onClose}>
      <header>
        <h2 id={id}>{title}</h2>
        <button type="button" className="iconbtn" aria-label={t('close')} onClick={() => ref.current?.close()}><Icon name="close" /></button>
      </header>
      {children}
    </dialog>
  );
}

/** The time in ms, looked at anew every so often. */
export function useNow(every: number): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), every);
    return () => clearInterval(timer);
  }, [every]);
  return now;
}

/** Seconds left until an instant, in ms; counts down to 0. */
export const useCountdown = (until: number) => Math.max(0, Math.ceil((until - useNow(500)) / 1000));

/** The button under a list by cursor. */
export function More({ query }: { query: { hasNextPage: boolean; isFetchingNextPage: boolean; fetchNextPage: () => unknown } }) {
  const { t } = useTranslation('frame');
  return query.hasNextPage ? <div className="more"><Button look="text" busy={query.isFetchingNextPage} onClick={() => void query.fetchNextPage()}>{t('more')}</Button></div> : null;
}
