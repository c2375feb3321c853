import type { DrawLine, DrawTable } from '@patron/shared/api/schema.d.ts';

/** What is published of an epoch, as far as a check needs it. */
export interface Proof {
  draw: string;
  epoch: number;
  hash: string;
  seed?: string | undefined;
  plays: number;
  head: string;
  tables: DrawTable[];
}

export type Finding = { n: number; what: 'seed' | 'missing' | 'table' | 'count' | 'number' | 'prize' | 'link' | 'plays' | 'head' };

const text = new TextEncoder();
const hex = (bytes: ArrayBuffer) => Array.from(new Uint8Array(bytes), (b) => b.toString(16).padStart(2, '0')).join('');
const bytesOf = (digits: string) => Uint8Array.from(digits.match(/../g) ?? [], (d) => parseInt(d, 16));
const digest = async (...parts: (string | number)[]) => hex(await crypto.subtle.digest('SHA-256', text.encode(parts.join('|'))));

const million = 1_000_000n;
/** The first word that is passed over, so that no remainder is likelier than another. */
const limit = ((1n << 64n) / million) * million;

/** The number of a play: the first word of 64 bits of the keyed hash that is below the limit, modulo a million. */
async function drawn(key: CryptoKey, proof: Proof, l: DrawLine): Promise<number> {
  for (let i = 0; ; i++) {
    const block = new DataView(await crypto.subtle.sign('HMAC', key, text.encode(['patron-draw-1', proof.draw, proof.epoch, l.mark, l.k, l.nonce, i].join('|'))));
    for (let at = 0; at < block.byteLength; at += 8) {
      const word = block.getBigUint64(at);
      if (word < limit) return Number(word % million);
    }
  }
}

/** What a number means: the prizes have the numbers in their order, the rest means nothing but for who has waited long enough. */
export function prizeOf(t: DrawTable, number: number, dry: number): string {
  let left = number;
  for (const o of t.odds ?? []) {
    if (left < o.odds) return o.prize;
    left -= o.odds;
  }
  return t.guarantee_after > 0 && t.guarantee_prize && dry + 1 >= t.guarantee_after ? t.guarantee_prize : '';
}

const tableHash = (p: Proof, t: DrawTable) => digest('patron-table-1', p.draw, t.number, t.epoch, t.from, Date.parse(t.at), t.why, t.guarantee_after, t.guarantee_prize, ...(t.odds ?? []).map((o) => `${o.prize}=${o.odds}`));

/** Works out every outcome of an epoch again, here and without asking the shop for anything but what it has published. */
export async function check(proof: Proof, pages: AsyncIterable<DrawLine[]>, progress: (done: number) => void): Promise<Finding[]> {
  const found: Finding[] = [];
  const add = (n: number, what: Finding['what']) => { if (found.length < 100) found.push({ n, what }); };
  const seed = bytesOf(proof.seed ?? '');
  if (hex(await crypto.subtle.digest('SHA-256', seed)) !== proof.hash) add(0, 'seed');
  const key = await crypto.subtle.importKey('raw', seed, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign']);
  const hashes = await Promise.all(proof.tables.map((t) => tableHash(proof, t)));
  const marks = new Map<string, { k: number; dry: number }>();
  let [n, at, link] = [0, 0, proof.hash];
  for await (const lines of pages) {
    for (const l of lines) {
      if (l.n !== n + 1) add(l.n, 'missing');
      n = l.n;
      for (let next = proof.tables[at + 1]; next && (next.epoch < proof.epoch || (next.epoch === proof.epoch && next.from <= n)); next = proof.tables[at + 1]) at++;
      const table = proof.tables[at];
      if (!table || table.number !== l.table) add(n, 'table');
      const was = marks.get(l.mark);
      if (l.k !== (was?.k ?? 0) + 1 || (was && was.dry !== l.dry)) add(n, 'count');
      marks.set(l.mark, { k: l.k, dry: l.prize ? 0 : l.dry + 1 });
      const number = await drawn(key, proof, l);
      if (number !== l.number) add(n, 'number');
      if (table && prizeOf(table, number, l.dry) !== l.prize) add(n, 'prize');
      if ((await digest('patron-line-1', link, l.n, l.mark, l.k, l.nonce, l.dry, l.table, hashes[at] ?? '', l.number, l.prize)) !== l.link) add(n, 'link');
      link = l.link;
    }
    progress(n);
  }
  if (n !== proof.plays) add(0, 'plays');
  if (link !== proof.head) add(0, 'head');
  return found;
}

/** What the member throws in: nobody can know it beforehand. */
export const newNonce = () => hex(crypto.getRandomValues(new Uint8Array(16)).buffer);
