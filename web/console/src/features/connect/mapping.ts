import type { Preview } from './api.ts';

/** For each column of the file, by place, the field that it fills; undefined for none. */
export type Mapping = (string | undefined)[];

/** What the server takes the columns for. It names a column by its name, or by its place as #3. */
export function guessed(preview: Pick<Preview, 'columns' | 'mapping'>): Mapping {
  const columns = preview.columns ?? [];
  const out: Mapping = columns.map(() => undefined);
  for (const [field, column] of Object.entries(preview.mapping)) {
    const named = columns.indexOf(column);
    const at = named >= 0 ? named : Number(/^#(\d+)$/.exec(column)?.[1]) - 1;
    if (at >= 0 && at < out.length) out[at] = field;
  }
  return out;
}

/** Fills a field from one column: from another that filled it, it is taken away. */
export function chosen(mapping: Mapping, at: number, field: string | undefined): Mapping {
  return mapping.map((was, i) => (i === at ? field : was === field ? undefined : was));
}

/** As the API takes it: by place, since two columns may have one name. */
export function asked(mapping: Mapping): Record<string, string> {
  return Object.fromEntries(mapping.flatMap((field, i) => (field ? [[field, `#${i + 1}`]] : [])));
}

/**
 * The groups of fields of which one is needed and none is filled. Fields that make a document
 * together stand for its number.
 */
export function lacking(needs: string[][], mapping: Mapping, documentFrom: string[]): string[][] {
  return needs.filter((group) => !group.some((field) => mapping.includes(field) || (field === 'document' && documentFrom.length > 0)));
}

/** Up to three different values of a column, for a person to recognise it by. */
export function samples(rows: string[][], at: number): string[] {
  return [...new Set(rows.map((row) => row[at]?.trim() ?? '').filter(Boolean))].slice(0, 3);
}
