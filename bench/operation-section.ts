import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureThroughput, type Headers } from './load.js';
import type { Options } from './options.js';
import { whileSending, query, writeRows, type BenchServer } from './postgres.js';
import type { RunningPeer } from './processes.js';
import { describeRate, describeRatio, type Section } from './report.js';
import { ALL_ON, createKey, NOTHING_ON, startService } from './service.js';
import { WORKLOADS, type Workload } from './workloads.js';

const [CLIENTS, ROWS] = [32, 100];

interface Variant extends RunningPeer {
  databaseUrl: string;
  headers: Headers;
}

/** This service with keys, limits, metrics and the log of requests, beside itself without all of them. */
export async function measureOperation(
  server: BenchServer,
  { rounds, seconds, warmUpSeconds }: Options,
  say: (text: string) => void,
): Promise<Section[]> {
  const folder = await mkdtemp(join(tmpdir(), 'marathon-bench-'));
  const variants: Variant[] = [];
  try {
    variants.push(await start(server, 'off', NOTHING_ON, folder));
    variants.push(await start(server, 'on', ALL_ON, folder));
    const rates = WORKLOADS.map(() => variants.map(() => [] as number[]));
    for (const [row, workload] of WORKLOADS.entries()) {
      for (const variant of variants) await measure(variant, workload, warmUpSeconds);
      for (let round = 1; round <= rounds; round += 1) {
        say(`${workload.name}, all on and all off: round ${round} of ${rounds}`);
        for (const [column, variant] of variants.entries())
          rates[row]![column]!.push(await measure(variant, workload, seconds));
      }
    }
    return [
      {
        title: 'With keys, limits, metrics and a log of requests, to all of them off',
        about: `${CLIENTS} clients, each with a key; the log at info in a file. Medians of ${rounds} turns of ${seconds} s, in turn.`,
        columns: ['workload', 'on to off', 'off', 'on'],
        rows: WORKLOADS.map(({ name }, row) => {
          const [off, on] = rates[row]!;
          return [name, describeRatio(on!, off!), describeRate(off!), describeRate(on!)];
        }),
      },
    ];
  } finally {
    for (const { stop } of variants) await stop();
    await rm(folder, { recursive: true });
  }
}

async function start(
  server: BenchServer,
  name: string,
  settings: Record<string, string>,
  folder: string,
): Promise<Variant> {
  const databaseUrl = await server.createDatabase(`bench_${name}`);
  const headers = await createKey(databaseUrl);
  const started = await startService(
    { DATABASE_URL: databaseUrl, ...settings },
    join(folder, `${name}.log`),
  );
  const answer = await fetch(`${started.url}/marathon/`, {
    method: 'POST',
    headers: { ...headers, 'Content-Type': 'text/csv' },
    body: writeRows(1, ROWS),
  });
  if (answer.status !== 201) throw new Error(await answer.text());
  await query(databaseUrl, 'VACUUM ANALYZE marathon');
  return { ...started, databaseUrl, headers: name === 'on' ? headers : {} };
}

async function measure(
  { url, databaseUrl, headers }: Variant,
  { requests, meanwhile }: Workload,
  seconds: number,
): Promise<number> {
  const load = async () => measureThroughput(url, requests, CLIENTS, seconds, headers);
  return meanwhile ? whileSending(databaseUrl, meanwhile, load) : load();
}
