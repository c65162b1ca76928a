import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmod,
  copyFile,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  rm,
  writeFile,
} from 'node:fs/promises';
import module from 'node:module';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createDatabase } from './support/database.js';
import { runProgram } from './support/service.js';

const PREFLIGHT = 'src/config/preflight.mjs';

describe('npm start', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(process.env.TEST_RUN_FOLDER!, 'starting-'));
  });
  afterEach(async () => rm(folder, { recursive: true }));

  it('reports a port in use before anything is built', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const stderr = await run(process.execPath, [PREFLIGHT], { PORT: String(port) }).ended;
    taken.close();
    expect(stderr).toBe(
      `Port ${port} is in use. Stop the program that listens there, or set PORT to another one.\n`,
    );
  });

  it('reports an old Node before anything is built', async () => {
    const script = join(folder, PREFLIGHT);
    await mkdir(join(folder, 'src', 'config'), { recursive: true });
    await copyFile(PREFLIGHT, script);
    await writeFile(join(folder, 'package.json'), '{"engines":{"node":">=99.1.0"}}');
    const stderr = await run(process.execPath, [script]).ended;
    expect(stderr).toBe(
      `Node 99.1.0 or later is required, and this is ${process.versions.node}: see https://nodejs.org.\n`,
    );
  });

  it.each([
    ['a database that does not exist', (url: string) => url.replace(/test_\w+/, 'nowhere')],
    ['a user that is not known', (url: string) => url.replace('postgres@', 'nobody@')],
    ['an unknown sslmode', () => 'postgresql://localhost/registry?sslmode=always'],
  ])('reports %s in one line', async (_, change) => {
    const database = await createDatabase();
    const settings = { DATABASE_URL: change(database.url), PORT: '0' };
    const { output, stderr } = await runProgram('main.js', [], settings);
    await database.drop();
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(output).not.toMatch(/search|warn|error/i);
  });

  // Node 22.1 and later keep it
  ('enableCompileCache' in module ? it : it.skip)(
    'keeps compiled code for the next start',
    async () => {
      // a copy, because other tests start the service meanwhile
      const compiled = join(folder, 'src');
      await mkdir(compiled);
      await writeFile(join(folder, 'package.json'), '{"type":"module"}');
      for (const name of ['main.js', 'compile-cache.js'])
        await copyFile(join('dist/src', name), join(compiled, name));
      await writeFile(join(compiled, 'bootstrap.js'), 'export const service = 1;');
      await run(process.execPath, [join(compiled, 'main.js')], { NODE_COMPILE_CACHE: undefined })
        .ended;
      const kept = await readdir(join(folder, '.compile-cache'), { recursive: true });
      expect(kept).not.toHaveLength(0);
    },
  );

  it('reports once what DB_SCHEMA=check misses', async () => {
    const database = await createDatabase();
    const settings = { DATABASE_URL: database.url, PORT: '0', DB_SCHEMA: 'check' };
    const { output, stderr } = await runProgram('main.js', [], settings);
    await database.drop();
    expect(`${output}${stderr}`.match(/CREATE TABLE "marathon"/g)).toHaveLength(1);
    expect(output).not.toContain('search');
  });

  it('ends all its processes when npm gets SIGTERM', async () => {
    const env = { PORT: '0', DATA_DIR: join(folder, 'data'), DATABASE_URL: '' };
    const { child, ended, until } = run('npm', ['start', '--ignore-scripts'], env);
    await until('API:');
    const pidFile = join(folder, 'data', 'postgresql-18', 'postmaster.pid');
    const server = Number((await readFile(pidFile, 'utf8')).split('\n')[0]);
    child.kill('SIGTERM');
    await ended;
    while (isRunning(server)) await wait(20);
    expect(await readdir(join(folder, 'data', 'postgresql-18'))).not.toContain('postmaster.pid');
  });
});

describe('npm test', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)('stops its PostgreSQL at %s', async (signal) => {
    const folder = await mkdtemp(join(process.env.TEST_RUN_FOLDER!, 'interrupted-'));
    // as root, PostgreSQL runs as another user
    await chmod(folder, 0o755);
    const child = spawn('npm', ['test', '--ignore-scripts', '--', 'test/guide'], {
      env: { ...process.env, TMPDIR: folder },
      stdio: 'ignore',
    });
    const ended = once(child, 'close');
    const server = await Promise.race([findServer(folder), ended.then(() => undefined)]);
    child.kill(signal);
    await ended;
    while (isRunning(server!)) await wait(20);
    expect((await readdir(folder)).filter((name) => name.startsWith('marathon-test-'))).toEqual([]);
    await rm(folder, { recursive: true });
  });
});

/** The process id of the PostgreSQL in a folder, when it is ready. */
async function findServer(folder: string): Promise<number> {
  for (;;) {
    const [created] = await readdir(folder);
    const file = join(folder, created ?? '', 'data', 'postgresql-18', 'postmaster.pid');
    // the file exists when the server runs
    const lines = (await readFile(file, 'utf8').catch(() => '')).split('\n');
    if (lines[7]?.startsWith('ready')) return Number(lines[0]);
    await wait(20);
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

function run(command: string, args: string[], env = {}) {
  const child = spawn(command, args, { env: { ...process.env, ...env } });
  const stderr: string[] = [];
  child.stdout.on('data', (text: Buffer) => stderr.push(text.toString()));
  child.stderr.on('data', (text: Buffer) => stderr.push(text.toString()));
  const ended = once(child, 'close').then(() => stderr.join(''));
  const until = async (text: string) => {
    while (!stderr.join('').includes(text)) await Promise.race([once(child.stdout, 'data'), ended]);
  };
  return { child, ended, until };
}
