/**
 * Sends what lies in the box, one after the other, and knows whether the line is there. One for all of the
 * page; of several tabs one sends at a time.
 */
import { api, ok } from '@patron/shared/api/client.ts';
import { ApiProblem, asProblem } from '@patron/shared/api/problem.ts';
import { useSyncExternalStore } from 'react';
import * as box from './box.ts';
import { answered, backoff, dropped, mended, named, nextOf, refOf, verdict, type Entry, type Refusal } from './queue.ts';

/** Of the line: there, not there, or there for somebody who signs in first. */
export type Line = 'online' | 'offline' | 'door';

interface State {
  line: Line;
  entries: Entry[];
  /** The box was read. */
  ready: boolean;
}

const patienceMs = 8000; // for one answer
const probeMs = 4000;
const beatMs = 15_000; // how often the line is tried while nothing happens

let state: State = { line: 'online', entries: [], ready: false };
const listeners = new Set<() => void>();
let timer: ReturnType<typeof setTimeout> | undefined;
let failures = 0;
let started = false;
let running: Promise<void> | undefined;
let onDoor: () => void = () => undefined;
/** How far this device's clock is behind the server's. A sale from the future would be refused. */
let skewMs = 0;

function set(next: Partial<State>) {
  state = { ...state, ...next };
  listeners.forEach((tell) => tell());
}

const subscribe = (tell: () => void) => {
  listeners.add(tell);
  return () => listeners.delete(tell);
};

export const useTill = (): State => useSyncExternalStore(subscribe, () => state);

/** The time by the server's clock, as well as this device knows. */
export const now = (): Date => new Date(Date.now() + skewMs);

export const newKey = (): string => crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint8Array(16)), (b) => b.toString(16).padStart(2, '0')).join('');

/** Begins, once; `door` is called when somebody has to sign in. */
export function start(door: () => void) {
  onDoor = door;
  if (started) return;
  started = true;
  window.addEventListener('online', () => void knock());
  window.addEventListener('offline', () => lost());
  document.addEventListener('visibilitychange', () => document.visibilityState === 'visible' && void knock());
  box.onOtherTab(() => void load());
  void load().then(knock);
}

async function load() {
  set({ entries: await box.all(), ready: true });
}

function lost() {
  set({ line: 'offline' });
  later(backoff(failures++));
}

function later(ms: number) {
  clearTimeout(timer);
  timer = setTimeout(() => void knock(), ms);
}

/** Is the server there? Then whatever waits goes out. */
export async function knock(): Promise<void> {
  later(beatMs);
  try {
    const answer = await fetch('/livez', { cache: 'no-store', signal: AbortSignal.timeout(probeMs) });
    if (!answer.ok) throw new Error(String(answer.status));
    const date = Date.parse(answer.headers.get('Date') ?? '');
    if (!Number.isNaN(date)) skewMs = Math.abs(date - Date.now()) > 90_000 ? date - Date.now() : 0;
  } catch {
    return lost();
  }
  failures = 0;
  if (state.line === 'offline') set({ line: 'online' });
  await flush();
}

/** Somebody signed in: what waited for that goes on. */
export function letIn() {
  if (state.line === 'door') set({ line: 'online' });
  void knock();
}

/** A request elsewhere on the page found out about the line. */
export function heard(problem: ApiProblem) {
  if (problem.status === 0 && problem.code === 'offline') lost();
  else if (problem.status === 401) shut();
}

function shut() {
  set({ line: 'door' });
  onDoor();
}

/** Lays a sale down and sends it, with those before it. It is safe once this returns, sent or not. */
export async function enter(series: string, make: (n: number) => Entry): Promise<Entry> {
  const entry = await box.add(series, make);
  await load();
  if (state.line !== 'door') void flush();
  return entry;
}

/** Sends what waits. Whoever calls while it is being sent waits for the same. */
export function flush(): Promise<void> {
  return (running ??= alone(send).finally(() => {
    running = undefined;
  }));
}

/** One tab at a time. Without locks (plain http) two may send the same sale; the server answers both alike. */
async function alone(work: () => Promise<boolean>): Promise<void> {
  const through = navigator.locks ? await navigator.locks.request('patron-till-send', work) : await work();
  await load();
  if (through && nextOf(state.entries)) later(0); // laid down while the last answer was on its way
}

/** Whether all that waited was sent or set aside. */
async function send(): Promise<boolean> {
  for (;;) {
    const entry = nextOf(await box.all());
    if (!entry) return true;
    if (!(await sendOne(entry))) return false;
  }
}

/** Whether the next may go. */
async function sendOne(entry: Entry): Promise<boolean> {
  const { document } = entry;
  try {
    let { sale } = entry;
    if (entry.typed) {
      // Who it is for is laid down before it goes: a second sending has to say the same.
      sale = { ...sale, member: await find(entry.typed) };
      await box.change(document, (e) => named(e, sale));
    }
    const answer = await ok(entry.checkout ? confirm(entry.checkout, entry) : api.POST('/v1/sales', { body: sale, params: { header: { 'Idempotency-Key': entry.key } }, signal: AbortSignal.timeout(patienceMs) }));
    await box.change(document, (e) => answered(e, answer, now().toISOString()));
    failures = 0;
    set({ line: 'online', entries: await box.all() });
    return true;
  } catch (error) {
    const { status, code, message: detail, retryAfter } = asProblem(error);
    const problem: Refusal = { status, code, detail };
    const tries = entry.tries + (status === 500 ? 1 : 0);
    const word = verdict(problem, tries);
    await box.change(document, (e) => ({ ...e, problem, tries, ...(word === 'rekey' && { key: newKey() }), ...(word === 'aside' && { state: 'aside' as const }) }));
    if (word === 'door') shut();
    if (word === 'again' && (status === 0 || status > 500)) lost();
    else if (word === 'again') later(retryAfter ? retryAfter * 1000 : backoff(failures++));
    return word === 'aside' || word === 'rekey';
  }
}

/** Confirms what a checkout holds: it adds by itself what points and stored value paid. */
function confirm(id: string, { key, sale }: Entry) {
  const { source, document, at, payments } = sale;
  const body = { source, document, at, payments: (payments ?? []).filter((p) => p.kind !== 'points' && p.kind !== 'stored_value') };
  return api.POST('/v1/checkouts/{id}/confirm', { body, params: { path: { id }, header: { 'Idempotency-Key': key } }, signal: AbortSignal.timeout(patienceMs) });
}

/** Who was meant by what was typed without a line: exactly one, or the sale is set aside. */
async function find(typed: string): Promise<string> {
  const signal = AbortSignal.timeout(patienceMs);
  const ref = refOf(typed);
  if (ref) return (await ok(api.GET('/v1/members/{ref}', { params: { path: { ref } }, signal }))).id;
  const { items } = await ok(api.GET('/v1/members', { params: { query: { q: typed, limit: 2 } }, signal }));
  if (items?.length === 1) return items[0]!.id;
  throw new ApiProblem({ code: items?.length ? 'till.many' : 'till.nobody', status: 404, title: '', detail: '' });
}

/** Tries a sale again that was set aside. */
export async function mend(document: string, member?: { typed?: string; none?: boolean }) {
  await box.change(document, (e) => mended(e, newKey(), member));
  await load();
  await knock();
}

export async function drop(document: string) {
  await box.change(document, (e) => dropped(e, now().toISOString()));
  await load();
}

export async function mark(document: string, what: Partial<Pick<Entry, 'printed' | 'voided'>>) {
  await box.change(document, (e) => ({ ...e, ...what }));
  await load();
}

export async function forget() {
  await box.forgetNames();
  await load();
}
