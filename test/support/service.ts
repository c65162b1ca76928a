import { spawn, type ChildProcess, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { afterEach, it } from '@jest/globals';
import { CITUS_URL } from './citus.js';

const ENTRY = new URL('../../dist/src/', import.meta.url).pathname;

type SpawnOptions = NonNullable<Parameters<typeof spawn>[2]>;

const started = new Set<ChildProcess>();

/** Kills the services that a test did not stop. */
afterEach(async () => {
  for (const child of started) {
    const ended = once(child, 'close');
    if (child.kill('SIGKILL')) await ended;
  }
});

/** Starts the built service as a separate process, as users do. */
export async function startService(
  settings: Record<string, string>,
  options: SpawnOptions = {},
  isUp = /API: (http:\S+)\/marathon\//,
  program = 'main.js',
) {
  const service = run(program, [], { PORT: '0', ...settings }, options);
  const url = await Promise.race([
    findUrl(service.stdout, isUp),
    service.ended.then(() => undefined),
  ]);
  if (!url) throw new Error(`The service did not start: ${(await service.ended).stderr}`);
  return { ...service, url };
}

/** Runs a built program until it exits. */
export async function runProgram(file: string, words: string[], settings: Record<string, string>) {
  return startProgram(file, words, settings).ended;
}

/** As `runProgram`, for a program that reads its standard input. */
export function startProgram(file: string, words: string[], settings: Record<string, string>) {
  return run(file, words, settings);
}

/** A device of Linux that is always full. */
const FULL_DISK = '/dev/full';

/** `it`, on Linux; elsewhere there is no disk that is full without filling one, and the test is skipped. */
export const itWithFullDisk = existsSync(FULL_DISK) ? it : it.skip;

/** Starts a built program whose output goes to a full disk. `errors` is what it writes to the standard error. */
export async function startOnFullDisk(
  file: string,
  words: string[],
  settings: Record<string, string>,
) {
  const disk = await open(FULL_DISK, 'w');
  const child = spawnProgram(file, words, settings, { stdio: ['ignore', disk.fd, 'pipe'] });
  const ended = once(child, 'exit').then(([exitCode]) => exitCode as number | null);
  await disk.close();
  return { kill: child.kill.bind(child), ended, errors: text(child.stderr!) };
}

function run(
  file: string,
  words: string[],
  settings: Record<string, string>,
  options: SpawnOptions = {},
) {
  const piped: SpawnOptions = { ...options, stdio: ['pipe', 'pipe', 'pipe'] };
  const child = spawnProgram(file, words, settings, piped) as ChildProcessWithoutNullStreams;
  let [output, stderr] = ['', ''];
  child.stdout.on('data', (bytes: Buffer) => (output += bytes.toString()));
  child.stderr.on('data', (bytes: Buffer) => (stderr += bytes.toString()));
  const ended = once(child, 'close').then(([exitCode, signal]) => ({
    exitCode: exitCode as number | null,
    signal: signal as string | null,
    output,
    stderr,
  }));
  const stop = async (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal);
    return ended;
  };
  const { stdin, stdout, stderr: errors } = child;
  return { pid: child.pid!, stdin, stdout, errors, ended, stop };
}

function spawnProgram(
  file: string,
  words: string[],
  settings: Record<string, string>,
  options: SpawnOptions,
): ChildProcess {
  const env = { PATH: process.env.PATH, ...stockPool(), ...distribution(settings), ...settings };
  const child = spawn(process.execPath, [resolve(ENTRY, file), ...words], { ...options, env });
  started.add(child);
  child.once('close', () => started.delete(child));
  return child;
}

/** See `stock-pool.mjs`. */
function stockPool(): Record<string, string> {
  if (!process.env.STOCK_POOL) return {};
  const file = new URL('stock-pool.mjs', import.meta.url).href;
  return { STOCK_POOL: 'service', NODE_OPTIONS: `--import=${file}` };
}

/** See `citus.ts`. The embedded server has no Citus. */
function distribution({ DATABASE_URL }: Record<string, string>): Record<string, string> {
  return CITUS_URL && DATABASE_URL ? { DB_DISTRIBUTE: 'citus' } : {};
}

async function findUrl(output: NodeJS.ReadableStream, isUp: RegExp): Promise<string | undefined> {
  for await (const line of createInterface({ input: output })) {
    const url = isUp.exec(line)?.[1];
    if (url) return url;
  }
  return undefined;
}
