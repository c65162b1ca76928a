import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const STOP_LIMIT_MS = 10_000;

/**
 * V8 frees memory once, about 105 seconds after the start, and discards compiled code with it. That would be measured of
 * some servers and not of others: `docs/performance.md` has the figures.
 */
export const NODE_FLAGS = ['--no-memory-reducer'];

/** A server in a separate process. */
export interface RunningPeer {
  url: string;
  pid: number;
  stop: () => Promise<void>;
}

/** Starts a server and waits until it reports its address. */
export async function startProcess(
  command: string,
  words: string[],
  settings: Record<string, string>,
  isUp = /Listening at:? (http:\/\/[^\s"]+)/,
): Promise<RunningPeer> {
  const env = { ...process.env, ...settings };
  // a separate process group, so that its workers end with it
  const child = spawn(command, words, { env, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  let stderr = '';
  child.stderr.on('data', (text: Buffer) => (stderr += text.toString()));
  const lines = [child.stdout, child.stderr].map(async (output) => findUrl(output, isUp));
  const ended = once(child, 'exit').then(() => undefined);
  const url = await Promise.race([...lines, ended]);
  if (!url) throw new Error(`${command} ${words.join(' ')} did not start:\n${stderr}`);
  return { url: url.replace(/\/$/, ''), pid: child.pid!, stop: async () => stop(child) };
}

/** Resolves when the line arrives. */
async function findUrl(output: NodeJS.ReadableStream, isUp: RegExp): Promise<string> {
  return new Promise((resolve) => {
    createInterface({ input: output }).on('line', (line) => {
      const url = isUp.exec(line)?.[1];
      if (url) resolve(url);
    });
  });
}

/** Stops a process and its group. */
export async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const ended = once(child, 'exit');
  process.kill(-child.pid!, 'SIGTERM');
  const impatience = setTimeout(() => process.kill(-child.pid!, 'SIGKILL'), STOP_LIMIT_MS);
  await ended;
  clearTimeout(impatience);
}

/** The memory of a process and its children, in MiB; undefined except on Linux. */
export function residentMiB(pid: number): number | undefined {
  try {
    const pids = [pid, ...childrenOf(pid)];
    return pids.reduce((sum, each) => sum + readKiB(each) / 1024, 0);
  } catch {
    // without /proc, or if the process is ending, the table says "not measured"
    return undefined;
  }
}

/** The processor time that a process has used, in microseconds; undefined except on Linux. */
export function processorMicroseconds(pid: number): number | undefined {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const nanoseconds = threads.map((thread) =>
      Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]),
    );
    return nanoseconds.reduce((sum, each) => sum + each, 0) / 1000;
  } catch {
    // without /proc the table says "not measured"
    return undefined;
  }
}

const MICROSECONDS_PER_TICK = 10_000;

/** As `processorMicroseconds`, of a process with its children, those that have ended included. */
export function serverMicroseconds(pid: number): number | undefined {
  try {
    const running = [pid, ...childrenOf(pid)].map((each) => processorMicroseconds(each) ?? 0);
    return running.reduce((sum, each) => sum + each, endedMicroseconds(pid));
  } catch {
    return undefined;
  }
}

/** The fields after the name in parentheses: https://man7.org/linux/man-pages/man5/proc_pid_stat.5.html */
function endedMicroseconds(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[13]) + Number(fields[14])) * MICROSECONDS_PER_TICK;
}

function childrenOf(pid: number): number[] {
  const threads = readdirSync(`/proc/${pid}/task`);
  const children = threads.flatMap((thread) =>
    readFileSync(`/proc/${pid}/task/${thread}/children`, 'utf8').split(' ').filter(Boolean),
  );
  return children.map(Number);
}

function readKiB(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]);
}
