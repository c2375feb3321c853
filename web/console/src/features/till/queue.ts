/**
 * What becomes of a sale between the till and the server. Pure: the box keeps, the sender sends.
 *
 * Laws, which queue.test.ts holds:
 *   - A sale gets its receipt number and its key when it is entered, and keeps both however often it is
 *     sent: the server answers a second sending as the first, so a lost answer doubles nothing.
 *   - Sales go out in the order in which they were entered; what may pass by waiting stops those behind it.
 *   - What the server refuses for good is set aside, and those behind it go on.
 *   - Nothing leaves but by an answer or by a person who drops it, and that too stays on the list.
 */
import type { SaleAnswer, SaleNew } from '@patron/shared/api/schema.d.ts';

export interface Who {
  name: string;
  number: string;
}

export interface Entry {
  /** The receipt number, unique for ever under the source of its sale. */
  document: string;
  /** Its place in line. */
  n: number;
  /** The Idempotency-Key. Another one comes only after a refusal, which the server keeps under the old one. */
  key: string;
  /** What goes out, byte for byte the same each time. */
  sale: SaleNew;
  /** What holds the coupons and points of the sale: it is confirmed in place of recording the sale. */
  checkout?: string;
  /** What was typed for the member while there was no line; it is looked up before the first sending. */
  typed?: string;
  /** The member as the receipt and the list name them: masked, and gone at sign-out. */
  who?: Who;
  state: 'waiting' | 'aside' | 'sent' | 'dropped';
  /** How often the server broke over it. */
  tries: number;
  problem?: Refusal;
  answer?: Pick<SaleAnswer, 'id' | 'points' | 'balances' | 'notices'>;
  /** When the answer came, or a person dropped it. */
  endedAt?: string;
  /** Printed once: what follows are reprints. */
  printed?: boolean;
  /** Undone at this till. */
  voided?: boolean;
}

export interface Refusal {
  status: number;
  code: string;
  detail: string;
}

/** How often a sale that the server breaks over is tried before it makes way. */
export const patience = 5;

/**
 * What to do after a failed sending: `again` when waiting may help, `door` when somebody has to sign in,
 * `rekey` when the server has it but lost its answer under this key, `aside` when it will never do.
 */
export function verdict(problem: Pick<Refusal, 'status' | 'code'>, tries: number): 'again' | 'door' | 'rekey' | 'aside' {
  const { status, code } = problem;
  if (status === 401 || status === 403) return 'door';
  if (code === 'request.answer_lost') return 'rekey';
  if (code === 'request.in_flight') return 'again';
  if (status === 500) return tries >= patience ? 'aside' : 'again';
  if (status === 0) return code === 'client' ? 'aside' : 'again';
  if (status === 408 || status === 425 || status === 429 || status > 500) return 'again';
  return 'aside';
}

/** The next to be sent: of what waits, what was entered first. */
export const nextOf = (entries: Entry[]): Entry | undefined => entries.filter((e) => e.state === 'waiting').sort((a, b) => a.n - b.n)[0];

/** Milliseconds until the line is tried again: 1 s, 2 s, 4 s … 15 s, and a little chance, so that ten tills do not knock at once. */
export const backoff = (tries: number, chance = Math.random()): number => Math.round(Math.min(15_000, 1000 * 2 ** Math.min(tries, 10)) * (0.8 + 0.4 * chance));

/** The receipt number: the till, this device, and how many it has written. `T2-7KD-0042`. */
export const documentOf = (till: string, device: string, n: number): string => `${till}-${device}-${String(n).padStart(4, '0')}`;

const letters = '23456789ABCDEFGHJKLMNPQRSTVWXYZ';

/** Three signs that tell this device from others at the same till: a cleared browser counts from 1 again, under another name. */
export const deviceOf = (bytes: Uint8Array): string => Array.from(bytes.slice(0, 3), (b) => letters[b % letters.length]).join('');

/** The source of a till's documents. Its store's code tells it from a till of the same name elsewhere. */
export const sourceOf = (store: string, till: string): string => `till/${store}/${till}`.slice(0, 64);

/** Waiting becomes sent. */
export const answered = (entry: Entry, answer: SaleAnswer, at: string): Entry => {
  const { id, points, balances, notices } = answer;
  const rest = { ...entry };
  delete rest.problem;
  return { ...rest, state: 'sent', answer: { id, points, balances, ...(notices ? { notices } : {}) }, endedAt: at };
};

/** Who it is for was found: this is what goes out from now on. */
export function named(entry: Entry, sale: SaleNew): Entry {
  const next = { ...entry, sale };
  delete next.typed;
  return next;
}

/** Back in line after a refusal, for this member or for nobody: under a new key, since the refusal is kept under the old. */
export function mended(entry: Entry, key: string, member: { typed?: string; none?: boolean } = {}): Entry {
  const next: Entry = { ...entry, sale: { ...entry.sale }, key, state: 'waiting', tries: 0 };
  delete next.problem;
  delete next.checkout; // it ran out: the sale goes as it was made
  if (member.typed || member.none) {
    delete next.sale.member;
    delete next.typed;
    delete next.who;
  }
  if (member.typed) next.typed = member.typed;
  return next;
}

/** Dropped by a person. It stays on the list until the day is over. */
export const dropped = (entry: Entry, at: string): Entry => ({ ...entry, state: 'dropped', endedAt: at });

/** How long what is over stays on the device. */
const keptFor = 3 * 24 * 3600_000;

/** Without whom it was for. */
export function nameless(entry: Entry): Entry {
  const next = { ...entry };
  delete next.who;
  return next;
}

/** What is over and old; never what waits or was set aside. */
export const stale = (entry: Entry, now: number): boolean => (entry.state === 'sent' || entry.state === 'dropped') && now - Date.parse(entry.endedAt ?? entry.sale.at) > keptFor;

/** Whether a typed word names a member for a minute only. */
export const isCode = (text: string): boolean => /^qr:/i.test(text.trim());

const prefixed = /^(mem_|no:|phone:|card:|email:|ext:|wechat:|qr:)/;

/** A reference as it is, for text that says itself what it is. */
export const refOf = (text: string): string | undefined => (prefixed.test(text.trim()) ? text.trim() : undefined);

/** First sign of a name and no more; a screen that customers see keeps no names. */
export function maskName(name: string | undefined): string {
  const signs = [...(name ?? '').trim()];
  return signs.length === 0 ? '' : signs[0] + '*'.repeat(Math.min(2, Math.max(1, signs.length - 1)));
}

/** `86`, `86.5` or `1,286.50` in minor units; undefined for what is no amount. */
export function minorOf(text: string, decimals: number): number | undefined {
  const m = /^(\d{1,9})?(?:[.。](\d*))?$/.exec(text.replace(/[,\s]/g, ''));
  if (!m || (m[1] === undefined && !m[2]) || (m[2] ?? '').length > decimals) return undefined;
  return Number(m[1] ?? 0) * 10 ** decimals + Number((m[2] ?? '').padEnd(decimals, '0') || 0);
}

/** What points are worth in minor units, rounded down; and how many are needed at most for an amount. */
export const worthOf = (points: number, millionths: number): number => Math.floor((points * millionths) / 1_000_000);
export const pointsFor = (minor: number, millionths: number): number => (millionths > 0 ? Math.floor((minor * 1_000_000) / millionths) : 0);

/** Whether what stands in a field came from a scanner: long, and faster than fingers. `times` are those of its keys. */
export const scanned = (text: string, times: number[]): boolean => text.length >= 8 && times.length >= text.length && (times.at(-1)! - times.at(-text.length)!) / (text.length - 1) < 35;
