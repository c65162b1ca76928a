import { execFile, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { setTimeout as wait } from 'node:timers/promises';
import { promisify } from 'node:util';
import { findFreePorts } from '../test/support/free-ports.js';
import { NODE_FLAGS, stop, type RunningPeer } from './processes.js';

const SERVICE = new URL('../src/', import.meta.url).pathname;
const POLL_INTERVAL_MS = 5;

/** Without the log of requests and without metrics: the other servers have none. */
export const NOTHING_ON = { LOG_LEVEL: 'warn', METRICS: 'off' };

/** With keys, limits, the log of requests, and metrics. */
export const ALL_ON = {
  ACCESS: 'keys',
  LOG_LEVEL: 'info',
  METRICS: 'on',
  REQUESTS_PER_MINUTE_PER_KEY: '1000000000',
  REQUESTS_PER_MINUTE_PER_ADDRESS: '1000000000',
};

/** Starts this service, or the one built in `folder`, with its log in a file, and waits until it is ready. */
export async function startService(
  settings: Record<string, string>,
  logFile = '/dev/null',
  folder = SERVICE,
): Promise<RunningPeer> {
  const [port] = await findFreePorts(1);
  const log = openSync(logFile, 'w');
  const child = spawn(process.execPath, [...NODE_FLAGS, `${folder}main.js`], {
    env: { ...process.env, PORT: String(port), ...settings },
    stdio: ['ignore', log, 'inherit'],
    detached: true,
  });
  closeSync(log);
  const url = `http://127.0.0.1:${port}`;
  while (!(await isReady(url))) {
    if (child.exitCode !== null) throw new Error('The service did not start.');
    await wait(POLL_INTERVAL_MS);
  }
  return { url, pid: child.pid!, stop: async () => stop(child) };
}

/** Creates an API key of an admin, and returns the header that sends it. */
export async function createKey(databaseUrl: string): Promise<Record<string, string>> {
  const words = [`${SERVICE}cli.js`, 'key', 'create', '--role', 'admin', '--name', 'Bench'];
  const env = { ...process.env, DATABASE_URL: databaseUrl };
  const { stdout } = await promisify(execFile)(process.execPath, words, { env });
  return { Authorization: `Bearer ${stdout.trim()}` };
}

async function isReady(url: string): Promise<boolean> {
  try {
    return (await fetch(`${url}/health/ready`)).ok;
  } catch {
    // it does not listen yet
    return false;
  }
}
