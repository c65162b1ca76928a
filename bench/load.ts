import { execFile, execFileSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { Agent, request } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import autocannon from 'autocannon';

/** One request of a workload; `body` makes it a POST. */
export interface Request {
  path: string;
  body?: string;
}

export type Headers = Record<string, string>;

const HEADERS = { 'Content-Type': 'application/json' };
const run = promisify(execFile);

/** If wrk is installed it is used: it needs less of the processor that it shares with the servers. */
export const loadGenerator = findWrk() ?? 'autocannon';

/** Sends requests on a number of connections, and returns the answers per second. */
export async function measureThroughput(
  url: string,
  requests: Request[],
  clients: number,
  seconds: number,
  headers: Headers = {},
): Promise<number> {
  const isWrk = loadGenerator !== 'autocannon';
  return (isWrk ? runWrk : runAutocannon)(url, requests, clients, seconds, headers);
}

async function runAutocannon(
  url: string,
  requests: Request[],
  clients: number,
  seconds: number,
  headers: Headers,
) {
  const result = await autocannon({
    url,
    connections: clients,
    duration: seconds,
    requests: requests.map(({ path, body }) => ({
      method: body ? 'POST' : 'GET',
      path,
      body,
      headers: { ...HEADERS, ...headers },
    })),
  });
  mustBeAnswered(result.non2xx + result.errors, url);
  return result['2xx'] / result.duration;
}

async function runWrk(
  url: string,
  requests: Request[],
  clients: number,
  seconds: number,
  headers: Headers,
) {
  const folder = await mkdtemp(join(tmpdir(), 'marathon-bench-'));
  try {
    const script = join(folder, 'requests.lua');
    await writeFile(script, scriptOf(requests, headers));
    const words = ['-t1', `-c${clients}`, `-d${seconds}`, '-s', script, url];
    const { stdout } = await run('wrk', words);
    mustBeAnswered(Number(/Non-2xx or 3xx responses: (\d+)/.exec(stdout)?.[1] ?? 0), url);
    return Number(/Requests\/sec:\s+([\d.]+)/.exec(stdout)![1]);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function scriptOf(requests: Request[], headers: Headers): string {
  const table = (fields: Headers) =>
    `{${Object.entries(fields)
      .map(([name, value]) => `["${name}"]="${value}"`)
      .join(', ')}}`;
  const formats = requests.map(({ path, body }) =>
    body
      ? `wrk.format("POST", ${JSON.stringify(path)}, ${table({ ...HEADERS, ...headers })}, ${JSON.stringify(body)})`
      : `wrk.format("GET", ${JSON.stringify(path)}, ${table(headers)})`,
  );
  return `
    local requests, turn = {}, 0
    init = function() requests = {${formats.join(', ')}} end
    request = function()
      turn = turn % #requests + 1
      return requests[turn]
    end`;
}

/** The latencies of a single client that sends one request after another. */
export async function measureLatencies(url: string, repeated: Request, seconds: number) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  try {
    for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
      const sentAt = performance.now();
      await send(url, repeated, agent);
      times.push(performance.now() - sentAt);
    }
  } finally {
    agent.destroy();
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)]!;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

async function send(url: string, { path, body }: Request, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    const method = body ? 'POST' : 'GET';
    const sent = request(`${url}${path}`, { method, agent, headers: HEADERS }, (answer) => {
      answer.resume();
      answer.once('end', () => (answer.statusCode! < 300 ? resolve() : reject(failure(url))));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

/** Wrong answers make a measurement invalid. */
function mustBeAnswered(failed: number, url: string): void {
  if (failed) throw failure(url, failed);
}

function failure(url: string, failed = 1): Error {
  return new Error(`${failed} requests to ${url} failed: there is nothing to compare.`);
}

function findWrk(): string | undefined {
  try {
    // it prints its version and exits with 1
    execFileSync('wrk', ['-v'], { stdio: 'pipe' });
    return 'wrk';
  } catch (error) {
    const { stdout } = error as { stdout?: Buffer };
    return stdout && /wrk \S+/.exec(String(stdout))?.[0];
  }
}
