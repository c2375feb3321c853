import { spawn, spawnSync, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');
const binary = process.env.PATRON_BIN ?? join(root, 'bin/patron');
export const password = 'correct horse battery staple';

export interface Server {
  url: string;
  /** The one-time link of the first owner; '' where there is one. */
  ownerLink: string;
  /** Adds an account with `password` and answers its e-mail address. */
  addStaff: (role: string) => string;
  stop: () => Promise<void>;
}

/** The real program on a new data directory and a free port; with demo data where members are asked for. */
export async function startServer({ members = 0 } = {}): Promise<Server> {
  const dir = mkdtempSync(join(tmpdir(), 'patron-e2e-'));
  const data = ['--data-dir', join(dir, 'data')];
  if (members > 0) run('demo', '--members', String(members), ...data);
  const port = await freePort();
  const child = spawn(binary, ['serve', '--listen', `127.0.0.1:${port}`, ...data], { stdio: ['ignore', 'pipe', 'inherit'] });
  const greeting = await until(child, /key create/);

  writeFileSync(join(dir, 'password'), password + '\n');
  return {
    url: `http://127.0.0.1:${port}`,
    ownerLink: /http\S+\/setup#\S+/.exec(greeting)?.[0] ?? '',
    addStaff(role) {
      const email = `${role}@example.com`;
      run('staff', 'create', '--email', email, '--role', role, '--password-file', join(dir, 'password'), ...data);
      return email;
    },
    async stop() {
      const gone = new Promise((resolve) => child.once('exit', resolve));
      child.kill('SIGTERM');
      await gone;
      rmSync(dir, { recursive: true });
    },
  };
}

function run(...args: string[]) {
  const { status, stderr } = spawnSync(binary, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`patron ${args.join(' ')}: ${stderr}`);
}

/** until waits for a line of the greeting: who reads it may call. */
function until(child: ChildProcess, wanted: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      said += chunk.toString();
      if (wanted.test(said)) resolve(said);
    });
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)));
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve) => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number };
      probe.close(() => resolve(port));
    });
  });
}
