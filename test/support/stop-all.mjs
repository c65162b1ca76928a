import { spawnSync } from 'node:child_process';
import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as wait } from 'node:timers/promises';

/** Stops what a run left: every PostgreSQL in its folder, and removes the folder. */
export async function stopAll({ server, folder, pooler }) {
  await pooler?.stop();
  await server.stop();
  const files = await readdir(folder, { recursive: true });
  const pids = await Promise.all(
    files
      .filter((file) => file.endsWith('postmaster.pid'))
      .map(async (file) => Number((await readFile(join(folder, file), 'utf8')).split('\n')[0])),
  );
  while (pids.some((pid) => kill(pid, 'SIGQUIT'))) await wait(20);
  await rm(folder, { recursive: true, force: true, maxRetries: 20 });
}

/** Kills the descendants of this process: the tests of an interrupted run, and their services. */
export function killDescendants() {
  const { stdout } = spawnSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' });
  const all = stdout
    .trim()
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number));
  const below = (parent) =>
    all.filter(([, ppid]) => ppid === parent).flatMap(([pid]) => [pid, ...below(pid)]);
  for (const pid of below(process.pid)) kill(pid, 'SIGKILL');
}

function kill(pid, signal) {
  try {
    return process.kill(pid, signal);
  } catch {
    // it has exited already
    return false;
  }
}
