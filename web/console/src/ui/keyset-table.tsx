import { asProblem } from '@patron/shared/api/problem.ts';
import { Blank } from '@patron/shared/ui/blank.tsx';
import { Icon } from '@patron/shared/ui/icon.tsx';
import { keepPreviousData, useQuery, type QueryKey } from '@tanstack/react-query';
import { Button, Checkbox, Popover, Skeleton, Table, type TableProps } from 'antd';
import { useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useLocation, useNavigate, useSearchParams } from 'react-router';
import styles from './keyset-table.module.css';
import { ErrorState, ForbiddenState } from './states.tsx';
import { useLate } from './use-late.ts';

/** Rows of one page. */
const pageSize = 50;

export interface Column<Row> {
  key: string;
  title: string;
  render: (row: Row) => ReactNode;
  /** Numbers stand right. */
  right?: boolean;
  width?: number;
  /** Can be taken away; `off` begins so. */
  choice?: 'on' | 'off';
  /** Shown from this width of the window on. */
  from?: 'sm' | 'md' | 'lg' | 'xl';
}

interface Props<Row> {
  /** Its name: the choice of columns is kept under it. */
  name: string;
  /** What a screen reader calls it. */
  label: string;
  /** Names the query; filters belong into it. */
  queryKey: QueryKey;
  load: (page: { cursor?: string; limit: number }) => Promise<{ items?: Row[] | null; next_cursor?: string }>;
  rowKey: (row: Row) => string;
  columns: Column<Row>[];
  /** Where a click on a row leads. The first column should be a link to the same place, for the keyboard. */
  rowLink?: (row: Row) => string;
  /** Fields and buttons above the table, left of the choice of columns. */
  filters?: ReactNode;
  /** Whether filters are set: then “nothing” means “nothing found”. */
  filtered?: boolean;
  /** What was searched for, to be repeated: 没找到“13800”. */
  query?: string;
  clear?: () => void;
  /** What shows while there is nothing at all: a <Blank>. */
  empty: ReactNode;
  /** Ticking rows, for acts on many. */
  selection?: TableProps<Row>['rowSelection'];
  /** A line above the rows: totals of a long table, or what is selected. */
  summary?: ReactNode;
}

interface Trail {
  /** The cursors of the pages before this one; the first page has ''. */
  trail?: string[];
}

/**
 * A list that the server pages by key. The page is in the URL as `?cursor=`, next to the filters
 * (useFilters); how one came here is in the history, so “previous” works however deep one is. Old rows
 * stay, dimmed, while new ones come; a skeleton shows only where there is nothing to dim.
 */
export function KeysetTable<Row extends object>({ name, label, queryKey, load, rowKey, columns, rowLink, filters, filtered, query, clear, empty, selection, summary }: Props<Row>) {
  const { t } = useTranslation('ui');
  const navigate = useNavigate();
  const location = useLocation();
  const [params] = useSearchParams();
  const cursor = params.get('cursor') ?? '';
  const { trail = [] } = (location.state ?? {}) as Trail;
  const [hidden, setHidden] = useHidden(name, columns);

  const list = useQuery({
    queryKey: [...queryKey, { cursor }],
    queryFn: () => load({ cursor: cursor || undefined, limit: pageSize }),
    placeholderData: keepPreviousData,
  });
  const late = useLate(list.isPending);
  const rows = list.data?.items ?? [];
  const next = list.data?.next_cursor;

  function go(to: string, way: string[]) {
    const search = new URLSearchParams(params);
    if (to) search.set('cursor', to);
    else search.delete('cursor');
    void navigate({ search: search.toString() }, { state: { trail: way } satisfies Trail });
    window.scrollTo({ top: 0 });
  }

  function body() {
    if (list.error) return asProblem(list.error).status === 403 ? <ForbiddenState /> : <ErrorState error={list.error} retry={() => void list.refetch()} />;
    if (list.isPending) return <div className={styles.skeleton} aria-busy>{late && <Skeleton active title={false} paragraph={{ rows: 12, width: '100%' }} />}</div>;
    if (rows.length === 0 && !list.isPlaceholderData) {
      if (!filtered && !cursor) return empty;
      return (
        <Blank
          drawing="result"
          title={query ? t('table.noResultFor', { query }) : t('table.noResult')}
          text={t('table.noResultText')}
          action={clear && <Button onClick={clear}>{t('table.clear')}</Button>}
        />
      );
    }
    return (
      <>
        {summary && <div className={styles.summary}>{summary}</div>}
        <div className={styles.rows} data-stale={list.isPlaceholderData || undefined} aria-busy={list.isFetching}>
          <Table<Row>
            aria-label={label}
            rowKey={rowKey}
            dataSource={rows}
            pagination={false}
            rowSelection={selection}
            rowClassName={rowLink ? styles.linked : undefined}
            scroll={{ x: 'max-content' }}
            onRow={(row) => ({
              onClick: (event) => {
                if (rowLink && !(event.target as HTMLElement).closest('a, button, input, label')) void navigate(rowLink(row));
              },
            })}
            columns={columns
              .filter((c) => !hidden.includes(c.key))
              .map((c) => ({ key: c.key, title: c.title, width: c.width, align: c.right ? 'right' : 'left', responsive: c.from && [c.from], render: (_, row) => c.render(row) }))}
          />
        </div>
        {(next || cursor) && (
          <nav className={styles.pager} aria-label={t('table.pages')}>
            {cursor && trail.length === 0 && <Button onClick={() => go('', [])}>{t('table.first')}</Button>}
            {trail.length > 0 && <Button onClick={() => go(trail.at(-1)!, trail.slice(0, -1))}>{t('table.previous')}</Button>}
            {trail.length > 0 && <span>{t('table.page', { n: trail.length + 1 })}</span>}
            <Button disabled={!next || list.isPlaceholderData} onClick={() => go(next!, [...trail, cursor])}>{t('table.next')}</Button>
          </nav>
        )}
      </>
    );
  }

  return (
    <div className={styles.table}>
      <div className={styles.bar}>
        <div className={styles.filters}>{filters}</div>
        {list.isPlaceholderData && <span className={styles.updating} role="status">{t('table.updating')}</span>}
        <ColumnChoice columns={columns} hidden={hidden} onChange={setHidden} />
      </div>
      {body()}
    </div>
  );
}

/** Which columns are hidden, kept in this browser. */
function useHidden<Row>(name: string, columns: Column<Row>[]) {
  const key = `patron.columns.${name}`;
  const [hidden, setHidden] = useState<string[]>(() => {
    try {
      return JSON.parse(localStorage.getItem(key) ?? 'null') ?? columns.filter((c) => c.choice === 'off').map((c) => c.key);
    } catch {
      return [];
    }
  });
  const keep = (next: string[]) => {
    localStorage.setItem(key, JSON.stringify(next));
    setHidden(next);
  };
  return [hidden, keep] as const;
}

function ColumnChoice<Row>({ columns, hidden, onChange }: { columns: Column<Row>[]; hidden: string[]; onChange: (hidden: string[]) => void }) {
  const { t } = useTranslation('ui');
  const free = columns.filter((c) => c.choice);
  if (free.length === 0) return null;
  return (
    <Popover
      trigger="click"
      placement="bottomRight"
      content={
        <fieldset className={styles.choice}>
          <legend className="visually-hidden">{t('table.columns')}</legend>
          {free.map((c) => (
            <Checkbox key={c.key} checked={!hidden.includes(c.key)} onChange={(e) => onChange(e.target.checked ? hidden.filter((h) => h !== c.key) : [...hidden, c.key])}>
              {c.title}
            </Checkbox>
          ))}
        </fieldset>
      }
    >
      <Button type="text" icon={<Icon name="columns" size={18} />}>{t('table.columns')}</Button>
    </Popover>
  );
}
