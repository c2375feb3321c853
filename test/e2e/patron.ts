// A real server on demo data for the tests of one file, and people who use it.
import { AxeBuilder } from '@axe-core/playwright';
import { expect, test as base, type Page } from '@playwright/test';
import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const bin = join(import.meta.dirname, '../../bin/patron');
const members = '300';
export const password = 'a long walk to the tea house';

/** Who works in the shop; each has the address ROLE@shop.example. */
export type Role = 'owner' | 'manager' | 'cashier' | 'agent' | 'analyst' | 'auditor';
/** Rules of the demonstration that go by the day, the hour or a birthday: what a sale gives is not to depend on when it is tested. */
const byTheClock = ['bakery-tuesday', 'birthday-month', 'member-day', 'quiet-afternoon'];
const roles: Role[] = ['owner', 'manager', 'cashier', 'agent', 'analyst', 'auditor'];
export const emailOf = (role: Role) => `${role}@shop.example`;

/** A server of one's own, which can be stopped and started anew. */
export class Server {
  readonly url: string;
  private readonly where: string[];
  private key: string | undefined;
  private process: ChildProcess | undefined;
  private calm = true;
  output = '';

  private constructor(readonly dir: string, readonly port: number, database: string | undefined) {
    this.url = `http://127.0.0.1:${port}`;
    this.where = ['--data-dir', join(dir, 'data'), ...(database ? ['--database-url', database] : [])];
  }

  /** Makes the data: of a demonstration with a colleague in every role, or nothing at all. */
  static async make(what: 'demo' | 'empty'): Promise<Server> {
    const dir = mkdtempSync(join(tmpdir(), 'patron-e2e-'));
    const postgres = process.env.PATRON_TEST_POSTGRES;
    const database = postgres && databaseOf(postgres, dir, what);
    const server = new Server(dir, await freePort(), database);
    if (what === 'demo') {
      const ready = template(postgres);
      cpSync(ready, join(dir, 'data'), { recursive: true });
      server.calm = false;
    }
    return server;
  }

  async start(): Promise<void> {
    this.output = '';
    const child = spawn(bin, ['serve', '--listen', `127.0.0.1:${this.port}`, ...this.where], { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (this.output += chunk.toString()));
    this.process = child;
    let ready = false;
    for (let i = 0; i < 200; i++) {
      if (child.exitCode !== null) break;
      try {
        if ((ready = (await fetch(`${this.url}/readyz`)).ok)) break;
      } catch {
        // not listening yet
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    if (!ready) throw new Error(`the server did not start:\n${this.output}`);
    if (!this.calm) await this.pause(byTheClock);
    this.calm = true;
  }

  /** Lets rules give nothing. */
  private async pause(rules: string[]): Promise<void> {
    for (const rule of rules) await this.api(`/v1/rules/${rule}/pause`, {});
  }

  async stop(): Promise<void> {
    const child = this.process;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    await ended;
  }

  /** Runs a command of patron on the same data and returns what it prints. */
  command(...args: string[]): string {
    return execFileSync(bin, [...args, ...this.where], { encoding: 'utf8' });
  }

  /** A request as a shop's system sends it: it writes where there is a body. */
  async ask(path: string, body?: object): Promise<Response> {
    this.key ??= this.command('key', 'create', '--name', 'e2e', '--scopes', 'all').trim();
    return fetch(this.url + path, {
      method: body ? 'POST' : 'GET',
      headers: { Authorization: `Bearer ${this.key}`, 'Content-Type': 'application/json', 'Idempotency-Key': crypto.randomUUID() },
      ...(body && { body: JSON.stringify(body) }),
    });
  }

  /** The answer to a request that has to be granted. */
  async api<T>(path: string, body?: object): Promise<T> {
    const answer = await this.ask(path, body);
    const text = await answer.text();
    expect(answer.ok, `${path}: ${answer.status} ${text}`).toBe(true);
    return JSON.parse(text) as T;
  }

  async remove(): Promise<void> {
    await this.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }
}

const templates = join(tmpdir(), `patron-e2e-template-${process.ppid}`);

/** The data directory of a demonstration, made once a run and engine. */
function template(postgres: string | undefined): string {
  const dir = join(templates, postgres ? 'postgresql' : 'sqlite', process.env.TEST_WORKER_INDEX ?? '0');
  if (existsSync(join(dir, 'ready'))) return join(dir, 'data');
  mkdirSync(dir, { recursive: true });
  const where = ['--data-dir', join(dir, 'data'), ...(postgres ? ['--database-url', at(postgres, templateName())] : [])];
  if (postgres) sql(postgres, `CREATE DATABASE ${templateName()}`);
  execFileSync(bin, ['demo', '--members', members, ...where]);
  writeFileSync(join(dir, 'password'), password);
  for (const role of roles) execFileSync(bin, ['staff', 'create', '--email', emailOf(role), '--role', role, '--password-file', join(dir, 'password'), ...where]);
  writeFileSync(join(dir, 'ready'), '');
  return join(dir, 'data');
}

const templateName = () => `e2e_template_${process.env.TEST_WORKER_INDEX ?? '0'}`;
const at = (postgres: string, name: string) => postgres.replace(/\/[^/?]*(\?|$)/, `/${name}$1`);
const sql = (postgres: string, text: string) => execFileSync('psql', ['-qAt', postgres, '-c', text]);

function databaseOf(postgres: string, dir: string, what: 'demo' | 'empty'): string {
  const name = `e2e_${dir.replace(/^.*-/, '').toLowerCase()}_${process.pid}`;
  if (what === 'demo') template(postgres);
  sql(postgres, `CREATE DATABASE ${name}${what === 'demo' ? ` TEMPLATE ${templateName()}` : ''}`);
  return at(postgres, name);
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer().once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}

interface Worker {
  demo: Server;
}

/** Tests with a server on demo data, shared by the tests of a worker, and a page that must stay clean. */
export const test = base.extend<{ page: Page }, Worker>({
  demo: [async ({}, use) => {
    const server = await Server.make('demo');
    await server.start();
    await use(server);
    await server.remove();
  }, { scope: 'worker' }],
  page: async ({ page }, use) => {
    const faults = watch(page);
    await use(page);
    expect(faults(), 'the console of the browser').toEqual([]);
  },
});

export { expect };

/** Notes what the browser complains of: errors of scripts, and of the content security policy. */
export function watch(page: Page): () => string[] {
  const faults: string[] = [];
  page.on('pageerror', (error) => faults.push(String(error)));
  page.on('console', (message) => {
    // An answer that refuses is logged by the browser as an error, and is none of the page.
    if (message.type() === 'error' && !/status of (4\d\d|503)/.test(message.text())) faults.push(message.text());
  });
  return () => faults;
}

export async function signIn(page: Page, server: Server, role: Role): Promise<void> {
  await page.goto(`${server.url}/`);
  await page.locator('input[type=email]').fill(emailOf(role));
  await page.locator('input[type=password]').fill(password);
  await page.locator('form button[type=submit]').click();
  await expect(page.locator('#main')).toBeVisible(); // the sheet inside: the door has a main of its own
}

/** By how many pixels the page is wider than the screen. Asked of the test: a phone zooms out, and innerWidth with it. */
export const overhang = async (page: Page) => Math.max(0, (await page.evaluate(() => document.documentElement.scrollWidth)) - page.viewportSize()!.width);

/** No serious or critical finding of axe on the page as it is. */
export async function accessible(page: Page): Promise<void> {
  expect(await findings(page)).toEqual([]);
}

/** What axe finds that is serious or critical, once the page has come to rest: the rule, and where. */
export async function findings(page: Page): Promise<string[]> {
  await page.evaluate(() => Promise.all(document.getAnimations().filter((a) => a.effect?.getComputedTiming().iterations !== Infinity).map((a) => a.finished.catch(() => undefined)))); // what fades has no colour of its own
  // The list of an open Select has no name of its own in Ant Design; the field that owns it has.
  const { violations } = await new AxeBuilder({ page }).exclude('.ant-select-dropdown [role=listbox]').analyze();
  const bad = violations.filter((v) => v.impact === 'serious' || v.impact === 'critical');
  return bad.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(' | ')}`);
}

let phones = 0;
/** A phone that nobody has yet. */
export const freshPhone = () => `138${String((Date.now() * 10 + phones++) % 1e8).padStart(8, '0')}`;

/** What the demonstration would have sent. */
export async function codeFor(server: Server, to: string): Promise<string> {
  let code: string | undefined;
  await expect.poll(async () => { // it is on its way when the page has asked for it
    const { items } = (await (await fetch(`${server.url}/portal/v1/inbox`)).json()) as { items: { to: string; code: string }[] };
    return (code = items.find((m) => m.to.endsWith(to))?.code);
  }).toBeDefined();
  return code!;
}

/** Signs in at the portal as somebody who has joined, past the pages of the door. */
export async function enter(page: Page, server: Server, address: { phone: string } | { email: string }): Promise<void> {
  const { challenge } = (await (await page.request.post(`${server.url}/portal/v1/codes`, { data: address })).json()) as { challenge: string };
  const code = await codeFor(server, Object.values(address)[0] as string);
  expect((await page.request.post(`${server.url}/portal/v1/sign-in`, { data: { ...address, challenge, code } })).status()).toBe(201);
}
