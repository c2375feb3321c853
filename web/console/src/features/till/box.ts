/**
 * Where sales lie until they are sent: IndexedDB of this browser. A number is taken and its sale is laid
 * down in one transaction, and transactions of several tabs follow each other, so no number comes twice.
 */
import { openDB, type DBSchema, type IDBPDatabase } from 'idb';
import { nameless, stale, type Entry } from './queue.ts';

interface Schema extends DBSchema {
  sale: { key: string; value: Entry };
  counter: { key: string; value: number };
}

let opening: Promise<IDBPDatabase<Schema>> | undefined;

const open = () =>
  (opening ??= openDB<Schema>('patron-till', 1, {
    upgrade(db) {
      db.createObjectStore('sale', { keyPath: 'document' });
      db.createObjectStore('counter');
    },
    terminated() {
      opening = undefined; // the browser closed it; the next call opens anew
    },
  }));

/** Tells the other tabs of the till that something changed. */
const channel = typeof BroadcastChannel === 'undefined' ? undefined : new BroadcastChannel('patron-till');
export const onOtherTab = (tell: () => void) => channel?.addEventListener('message', tell);
const tell = () => channel?.postMessage('changed');

/** Takes the next number of a series and lays down what `make` writes under it. */
export async function add(series: string, make: (n: number) => Entry): Promise<Entry> {
  const tx = (await open()).transaction(['sale', 'counter'], 'readwrite', { durability: 'strict' });
  const counter = tx.objectStore('counter');
  const n = ((await counter.get(series)) ?? 0) + 1;
  const entry = make(n);
  await Promise.all([counter.put(n, series), tx.objectStore('sale').add(entry), tx.done]);
  tell();
  return entry;
}

/** Takes a number for a document that is sent at once, as a return is. */
export async function take(series: string): Promise<number> {
  const tx = (await open()).transaction('counter', 'readwrite', { durability: 'strict' });
  const n = ((await tx.store.get(series)) ?? 0) + 1;
  await Promise.all([tx.store.put(n, series), tx.done]);
  return n;
}

/** Changes what lies under a number as it is now; another tab may have changed it since it was read. */
export async function change(document: string, edit: (entry: Entry) => Entry): Promise<void> {
  const tx = (await open()).transaction('sale', 'readwrite', { durability: 'strict' });
  const entry = await tx.store.get(document);
  if (entry) await tx.store.put(edit(entry));
  await tx.done;
  tell();
}

/** All that lies here, newest first, without what is over and old. */
export async function all(): Promise<Entry[]> {
  const db = await open();
  const list = await db.getAll('sale');
  const now = Date.now();
  const old = list.filter((e) => stale(e, now));
  for (const e of old) await db.delete('sale', e.document);
  return list.filter((e) => !old.includes(e)).sort((a, b) => Date.parse(b.sale.at) - Date.parse(a.sale.at) || b.n - a.n);
}

/** Takes the names out of what is over. What waits needs whom it is for. */
export async function forgetNames(): Promise<void> {
  for (const e of await all()) {
    if (e.who && (e.state === 'sent' || e.state === 'dropped')) await change(e.document, nameless);
  }
}
