const key = 'patron.blocks';

type Block = 'tier' | 'offers' | 'checkIn' | 'plan';

function read(): Partial<Record<Block, number>> {
  try {
    return JSON.parse(localStorage.getItem(key) ?? '{}') as Partial<Record<Block, number>>;
  } catch {
    return {};
  }
}

/** How many rows a block of the home page had last time, or how high it was: its place is kept free while it is read, so that nothing jumps. Says nothing of the member. */
export const rowsOf = (block: Block): number => read()[block] ?? 0;

export function keepRows(block: Block, rows: number) {
  if (rowsOf(block) === rows) return;
  try {
    localStorage.setItem(key, JSON.stringify({ ...read(), [block]: rows }));
  } catch {
    // without storage the page jumps once
  }
}

/** Whether the page was here before, so that it is known which of its blocks there are. */
export const knowsRows = (): boolean => Object.keys(read()).length > 0;
