import { execFile, execFileSync, type ChildProcess } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Headers, Load } from './load.js';

const run = promisify(execFile);
const TIMEOUT_SECONDS = 30;
const MS_OF_UNIT: Record<string, number> = { us: 0.001, ms: 1, s: 1000 };
const FAILURES = [
  /Non-2xx or 3xx responses: (\d+)/,
  /Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)/,
];

export interface WrkReport {
  /** The number of answers. */
  count: number;
  perSecond: number;
  p50Ms: number;
  p99Ms: number;
  /** Answers other than 2xx, and connections that failed. */
  failed: number;
}

/** The name and the version of wrk; undefined if it is not installed. */
export function findWrk(): string | undefined {
  try {
    // it prints its version and exits with 1
    execFileSync('wrk', ['-v'], { stdio: 'pipe' });
    return 'wrk';
  } catch (error) {
    const { stdout } = error as { stdout?: Buffer };
    return stdout && /wrk \S+/.exec(String(stdout))?.[0];
  }
}

/**
 * Sends the requests in turn, each client one after another: https://github.com/wg/wrk. `onStart` gets the process of
 * wrk. It ends at SIGINT, or when its time is over.
 */
export async function runWrk(
  { url, requests, clients, seconds, headers }: Load,
  onStart: (child: ChildProcess) => void = () => undefined,
): Promise<WrkReport> {
  const folder = await mkdtemp(join(tmpdir(), 'marathon-bench-'));
  try {
    const script = join(folder, 'requests.lua');
    await writeFile(script, scriptOf(requests, headers));
    const words = [`-c${clients}`, `-d${seconds}`, '--timeout', String(TIMEOUT_SECONDS)];
    const running = run('wrk', ['-t1', '--latency', ...words, '-s', script, url]);
    onStart(running.child);
    return readReport((await running).stdout);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function readReport(text: string): WrkReport {
  const at = (percent: number) => {
    const [, value, unit] = new RegExp(String.raw`^ +${percent}% +([\d.]+)(us|ms|s) *$`, 'm').exec(
      text,
    )!;
    return Number(value) * MS_OF_UNIT[unit!]!;
  };
  const failures = FAILURES.flatMap((line) => line.exec(text)?.slice(1) ?? []);
  return {
    count: Number(/(\d+) requests in /.exec(text)![1]),
    perSecond: Number(/Requests\/sec:\s+([\d.]+)/.exec(text)![1]),
    p50Ms: at(50),
    p99Ms: at(99),
    failed: failures.reduce((sum, count) => sum + Number(count), 0),
  };
}

function scriptOf(requests: Load['requests'], headers: Headers): string {
  const formats = requests.map(({ path, body }) => {
    const sent = tableOf(body ? { ...headers, 'Content-Type': 'application/json' } : headers);
    const words = [body ? 'POST' : 'GET', path].map((word) => JSON.stringify(word));
    return `wrk.format(${[...words, sent, body ? JSON.stringify(body) : 'nil'].join(', ')})`;
  });
  return `
    local requests, turn = {}, 0
    init = function() requests = {${formats.join(', ')}} end
    request = function()
      turn = turn % #requests + 1
      return requests[turn]
    end`;
}

/** As Lua writes it. */
function tableOf(fields: Headers): string {
  const members = Object.entries(fields).map(([name, value]) => `["${name}"]="${value}"`);
  return `{${members.join(', ')}}`;
}
