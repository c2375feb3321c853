import { Icon } from '@patron/shared/ui/icon.tsx';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { keepPreviousData, useQuery, type QueryKey } from '@tanstack/react-query';
import { Button, Checkbox, Grid, Popover, Skeleton, type TableColumnType } from 'antd';
import { useEffect, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useNavigate, useSearchParams } from 'react-router';
import { cursorParam } from './filters.ts';
import styles from './keyset-table.module.css';
import { ErrorState } from './states.tsx';
import { WideTable } from './wide-table.tsx';

export interface KeysetPage<T> {
  items?: T[] | null;
  next_cursor?: string;
}

export interface KeysetColumn<T> extends TableColumnType<T> {
  key: string;
  title: string;
  /** Hidden until somebody chooses it. */
  optional?: boolean;
  /** On a phone it stands beside the first column: what one acts with, and by, is not to be scrolled to. */
  near?: boolean;
}

interface Props<T> {
  /** Names the table in the browser's memory of chosen columns: `members`. */
  name: string;
  /** Of the query, filters included; the place is added. */
  queryKey: QueryKey;
  fetch: (cursor: string | undefined) => Promise<KeysetPage<T>>;
  columns: KeysetColumn<T>[];
  rowKey: (row: T) => string;
  /** Where a click on a row leads. The first column should be a link to the same, for the keyboard. */
  to?: (row: T) => string;
  /** With a filter on: no result; else there is nothing yet. */
  filtered?: boolean;
  onClear?: () => void;
  /** What it says when there is nothing yet. */
  empty: ReactNode;
  /** Filters, at the left over the table. */
  filters?: ReactNode;
  /** Acts on the list, at the right over it. */
  actions?: ReactNode;
  selection?: { keys: string[]; onChange: (keys: string[]) => void };
}

/**
 * A list that the server pages by cursor. It shows one page at a time, so a million rows cost what fifty do;
 * the place is in the address. Old rows stay, dimmed, while new ones come.
 */
export function KeysetTable<T extends object>({ name, queryKey, fetch, columns, rowKey, to, filtered, onClear, empty, filters, actions, selection }: Props<T>) {
  const { t } = useTranslation('ui');
  const navigate = useNavigate();
  const [params, setParams] = useSearchParams();
  const cursor = params.get(cursorParam) ?? undefined;
  const page = useQuery({ queryKey: [...queryKey, cursor ?? ''], queryFn: () => fetch(cursor), placeholderData: keepPreviousData });
  const [shown, setShown] = useChosen(name, columns);
  const slow = useAfter(page.isPending, 300);
  const wide = Grid.useBreakpoint().md ?? true;

  const turn = (next: string | undefined) =>
    setParams((now) => {
      const out = new URLSearchParams(now);
      if (next) out.set(cursorParam, next);
      else out.delete(cursorParam);
      return out;
    });

  if (page.error && !page.data) return <ErrorState error={page.error} retry={() => void page.refetch()} />;
  const rows = page.data?.items ?? [];
  const choosable = columns.some((c) => c.optional);
  const tools = (filters || actions || choosable) && (
    <div className={styles.tools}>
      {filters}
      <div className={styles.end}>
        {actions}
        {choosable && (
          <Popover
            trigger="click"
            placement="bottomRight"
            content={
              <Checkbox.Group
                style={{ display: 'grid', gap: 8 }}
                value={shown}
                onChange={(keys) => setShown(keys)}
                options={columns.slice(1).map((c) => ({ value: c.key, label: c.title }))}
              />
            }
          >
            <Button icon={<Icon name="columns" />}>{t('table.columns')}</Button>
          </Popover>
        )}
      </div>
    </div>
  );

  let body: ReactNode;
  if (page.isPending) {
    body = slow && <div className={styles.bone}><Skeleton active title={false} paragraph={{ rows: 8, width: '100%' }} /></div>;
  } else if (rows.length === 0 && !cursor && !page.data?.next_cursor) {
    body = filtered
      ? <Blank drawing="result" title={t('table.noResult')} text={t('table.noResultText')} action={onClear && <Button onClick={onClear}>{t('table.clear')}</Button>} />
      : empty;
  } else {
    body = (
      <>
        <WideTable<T>
          className={[page.isPlaceholderData && styles.old, selection && styles.wide].filter(Boolean).join(' ')}
          aria-busy={page.isFetching}
          // With boxes to choose rows by, Ant Design's own scrolling puts a second, hidden one into the head that a keyboard reaches.
          scroll={selection ? undefined : { x: 'max-content' }}
          rowKey={rowKey}
          dataSource={rows}
          columns={inOrder(columns.filter((c, i) => i === 0 || shown.includes(c.key)), wide)}
          rowSelection={selection && { selectedRowKeys: selection.keys, onChange: (keys) => selection.onChange(keys as string[]) }}
          onRow={to && ((row) => ({
            className: styles.row!,
            onClick: (event) => {
              const target = event.target as HTMLElement;
              if (!target.closest('a,button,input,label') && !getSelection()?.toString()) void navigate(to(row));
            },
          }))}
        />
        <nav className={styles.foot} aria-label={t('table.pages')}>
          <span>{page.isFetching ? t('table.updating') : t('table.rows', { count: rows.length })}</span>
          {cursor && <Button size="small" onClick={() => turn(undefined)}>{t('table.first')}</Button>}
          {cursor && <Button size="small" onClick={() => void navigate(-1)}>{t('table.previous')}</Button>}
          {page.data?.next_cursor && <Button size="small" onClick={() => turn(page.data?.next_cursor)}>{t('table.next')}</Button>}
        </nav>
      </>
    );
  }
  return <div className={styles.table}>{tools}{body}</div>;
}

/** The columns as they stand on a screen: on a narrow one those that are near come right after the first. */
function inOrder<T>(columns: KeysetColumn<T>[], wide: boolean): KeysetColumn<T>[] {
  const [first, ...rest] = columns;
  return wide || !first ? columns : [first, ...rest.filter((c) => c.near), ...rest.filter((c) => !c.near)];
}

/** Which columns one has chosen, kept in this browser. */
function useChosen<T>(name: string, columns: KeysetColumn<T>[]) {
  const key = `patron.columns.${name}`;
  const [chosen, setChosen] = useState<string[] | undefined>(() => {
    try {
      return JSON.parse(localStorage.getItem(key) ?? 'null') as string[] ?? undefined;
    } catch {
      return undefined; // somebody else's, or storage is off
    }
  });
  const shown = chosen ?? columns.filter((c) => !c.optional).map((c) => c.key);
  const choose = (keys: string[]) => {
    setChosen(keys);
    try {
      localStorage.setItem(key, JSON.stringify(keys));
    } catch {
      // a choice that lasts as long as the page is better than none
    }
  };
  return [shown, choose] as const;
}

/** Whether something has been so for a while. */
export function useAfter(is: boolean, ms: number): boolean {
  const [late, setLate] = useState(false);
  useEffect(() => {
    if (!is) return;
    const timer = setTimeout(() => setLate(true), ms);
    return () => {
      clearTimeout(timer);
      setLate(false);
    };
  }, [is, ms]);
  return is && late;
}
