import { spawnSync } from 'node:child_process';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';
import { Logger } from '@nestjs/common';
import { EmbeddedServer } from '../../dist/src/database/embedded-server.js';

/** One real PostgreSQL for the whole run; every test file makes a database of its own on it. */
export default async function startPostgres() {
  Logger.overrideLogger(['warn', 'error']);
  const folder = await mkdtemp(join(tmpdir(), 'marathon-test-'));
  // the server runs as another user if this is root
  await chmod(folder, 0o755);
  const socketFolder = join(folder, 'socket');
  const server = new EmbeddedServer(join(folder, 'data'), socketFolder);
  let isInterrupted = false;
  for (const signal of ['SIGINT', 'SIGTERM']) {
    process.once(signal, () => {
      isInterrupted = true;
      const stopped = stopAll(server, folder).catch(console.error);
      void stopped.finally(() => process.exit(128 + constants.signals[signal]));
    });
  }
  try {
    await server.start();
  } catch (error) {
    // Jest would exit before all is stopped
    if (isInterrupted) await new Promise(() => undefined);
    throw error;
  }
  process.env.TEST_RUN_FOLDER = folder;
  process.env.TEST_POSTGRES_SOCKET = socketFolder;
  globalThis.testPostgres = { server, folder };
}

/** An interrupted run takes with it what its tests started, and every PostgreSQL in its folder. */
async function stopAll(server, folder) {
  await server.stop();
  for (const pid of descendants()) kill(pid, 'SIGKILL');
  const files = await readdir(folder, { recursive: true });
  const pids = await Promise.all(
    files
      .filter((file) => file.endsWith('postmaster.pid'))
      .map(async (file) => Number((await readFile(join(folder, file), 'utf8')).split('\n')[0])),
  );
  while (pids.some((pid) => kill(pid, 'SIGQUIT'))) await wait(20);
  await rm(folder, { recursive: true, force: true, maxRetries: 20 });
}

function descendants() {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const all = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent) =>
    all.filter(([, ppid]) => ppid === parent).flatMap(([pid]) => [pid, ...below(pid)]);
  return below(process.pid);
}

function kill(pid, signal) {
  try {
    return process.kill(pid, signal);
  } catch {
    // it has ended by itself
    return false;
  }
}
