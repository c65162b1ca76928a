import { Agent, request } from 'node:http';
import autocannon from 'autocannon';
import { findWrk, runWrk } from './wrk.js';

/** One request of a workload; `body` makes it a POST. */
export interface Request {
  path: string;
  body?: string;
}

export type Headers = Record<string, string>;

/** Clients that send the requests in turn, each of them one after another. */
export interface Load {
  url: string;
  requests: Request[];
  clients: number;
  seconds: number;
  headers: Headers;
}

const JSON_TYPE = { 'Content-Type': 'application/json' };

/**
 * If wrk is installed it is used: it needs less of the processor that it shares with the servers. A client of Node also
 * waits 0.2 ms for itself, which hides how long a lone client waits for the server.
 */
const wrk = findWrk();
export const loadGenerator = wrk ?? 'autocannon';

/** A server, and the headers that its clients send. */
interface Target {
  url: string;
  headers?: Headers;
}

/** Sends requests on a number of connections, and returns the answers per second. */
export async function measureThroughput(
  { url, headers = {} }: Target,
  requests: Request[],
  clients: number,
  seconds: number,
): Promise<number> {
  const load = { url, requests, clients, seconds, headers };
  if (!wrk) return runAutocannon(load);
  const { perSecond, failed } = await runWrk(load);
  mustBeAnswered(failed, url);
  return perSecond;
}

async function runAutocannon({ url, requests, clients, seconds, headers }: Load): Promise<number> {
  const result = await autocannon({
    url,
    connections: clients,
    duration: seconds,
    requests: requests.map(({ path, body }) => ({
      method: body ? 'POST' : 'GET',
      path,
      body,
      headers: { ...JSON_TYPE, ...headers },
    })),
  });
  mustBeAnswered(result.non2xx + result.errors, url);
  return result['2xx'] / result.duration;
}

export interface Latencies {
  p50Ms: number;
  p99Ms: number;
}

/** The latencies of clients that send one request after another. More than one need wrk. */
export async function measureLatencies(
  { url, headers = {} }: Target,
  repeated: Request,
  seconds: number,
  clients = 1,
): Promise<Latencies> {
  if (wrk) {
    const report = await runWrk({ url, requests: [repeated], clients, seconds, headers });
    mustBeAnswered(report.failed, url);
    return report;
  }
  if (clients > 1)
    throw new Error('The latencies of many clients are measured by wrk. Install it.');
  return measureByNode(url, repeated, seconds, headers);
}

async function measureByNode(url: string, repeated: Request, seconds: number, headers: Headers) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const times: number[] = [];
  try {
    for (const end = performance.now() + seconds * 1000; performance.now() < end;) {
      const sentAt = performance.now();
      await send(url, repeated, agent, headers);
      times.push(performance.now() - sentAt);
    }
  } finally {
    agent.destroy();
  }
  times.sort((a, b) => a - b);
  const at = (share: number) => times[Math.floor(times.length * share)]!;
  return { p50Ms: at(0.5), p99Ms: at(0.99) };
}

async function send(
  url: string,
  { path, body }: Request,
  agent: Agent,
  others: Headers,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const [method, headers] = [body ? 'POST' : 'GET', { ...JSON_TYPE, ...others }];
    const sent = request(`${url}${path}`, { method, agent, headers }, (answer) => {
      answer.resume();
      answer.once('end', () => (answer.statusCode! < 300 ? resolve() : reject(failure(url))));
    });
    sent.once('error', reject);
    sent.end(body);
  });
}

/** Wrong answers make a measurement invalid. */
export function mustBeAnswered(failed: number, url: string): void {
  if (failed) throw failure(url, failed);
}

function failure(url: string, failed = 1): Error {
  return new Error(`${failed} requests to ${url} failed: there is nothing to compare.`);
}
