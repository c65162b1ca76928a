import { mkdtemp, chmod, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startReplicatedServers } from '../test/support/replicated-servers.js';
import { measureThroughput } from './load.js';
import type { Options } from './options.js';
import { importRows } from './peers.js';
import { query, writeRows, type BenchServer } from './postgres.js';
import { describeRate, describeRatio, type Say, type Section } from './report.js';
import { NOTHING_ON, startService } from './service.js';
import { CREATE, ITEM, LIST, type Workload } from './workloads.js';

const [CLIENTS, ROWS] = [32, 100];

/** The package of Debian; see `test/support/pooler.mjs`. */
const POOLER = new URL('../../test/support/pooler.mjs', import.meta.url).href;

interface Service {
  url: string;
  stop: () => Promise<void>;
}

/** What is compared: one or more services, which share the clients. */
interface Variant {
  name: string;
  start: () => Promise<Service[]>;
}

/** Several processes, instances and replicas, and a pooler in between, beside one process alone. */
export async function measureScale(
  server: BenchServer,
  options: Options,
  say: Say,
): Promise<Section[]> {
  const folder = await mkdtemp(join(tmpdir(), 'marathon-bench-'));
  await chmod(folder, 0o755);
  try {
    return [
      await compare('Workers', await workers(server), [LIST, ITEM, CREATE], options, say),
      await compare('Instances', await instances(server), [CREATE], options, say),
      ...(await measureReplicas(folder, options, say)),
      ...(await measurePooler(server, options, say)),
    ];
  } finally {
    await rm(folder, { recursive: true });
  }
}

async function workers(server: BenchServer): Promise<Variant[]> {
  const url = await seededDatabase(server, 'bench_workers');
  return [1, 2, 4].map((count) => ({
    name: `${count}`,
    start: async () => [await startOn(url, { WORKERS: String(count), DB_POOL_SIZE: '12' })],
  }));
}

async function instances(server: BenchServer): Promise<Variant[]> {
  const url = await seededDatabase(server, 'bench_instances');
  return [1, 2, 4].map((count) => ({
    name: `${count}`,
    start: async () => Promise.all(Array.from({ length: count }, async () => startOn(url))),
  }));
}

async function measureReplicas(folder: string, options: Options, say: Say): Promise<Section[]> {
  const servers = await startReplicatedServers(2, folder);
  try {
    await seed(servers.primary.url);
    const replicaUrls = servers.standbys.map(({ url }) => url);
    const variants = [0, 1, 2].map((count) => ({
      name: `${count}`,
      start: async () => [
        await startOn(servers.primary.url, {
          DATABASE_REPLICA_URLS: replicaUrls.slice(0, count).join(','),
        }),
      ],
    }));
    return [await compare('Replicas', variants, [LIST, ITEM], options, say)];
  } finally {
    await servers.close();
  }
}

async function measurePooler(server: BenchServer, options: Options, say: Say): Promise<Section[]> {
  const url = await seededDatabase(server, 'bench_pooler');
  const { searchParams } = new URL(url.replace('@/', '@host/'));
  const { startPooler } = (await import(POOLER)) as typeof import('../test/support/pooler.mjs');
  const pooler = await startPooler(searchParams.get('host')!);
  try {
    const pooled = `postgresql://postgres@/bench_pooler?host=${pooler.socketFolder}`;
    const variants = [
      { name: 'direct', start: async () => [await startOn(url)] },
      { name: 'PgBouncer', start: async () => [await startOn(pooled)] },
    ];
    return [await compare('PgBouncer', variants, [LIST, ITEM, CREATE], options, say)];
  } finally {
    await pooler.stop();
  }
}

async function compare(
  title: string,
  variants: Variant[],
  workloads: Workload[],
  options: Options,
  say: Say,
): Promise<Section> {
  say(title);
  const started: Service[][] = [];
  try {
    for (const { start } of variants) started.push(await start());
    const rows: string[][] = [];
    for (const workload of workloads) {
      const [first, ...others] = await measureTurns(started, workload, options);
      const ratios = others.map((rates) => describeRatio(rates, first!));
      rows.push([workload.name, describeRate(first!), ...ratios]);
    }
    const [first, ...others] = variants.map(({ name }) => name);
    return {
      title,
      about: `${CLIENTS} clients. Medians of ${options.rounds} turns of ${options.seconds} s, in turn.`,
      columns: [
        'workload',
        `${first}, requests a second`,
        ...others.map((name) => `${name} to ${first}`),
      ],
      rows,
    };
  } finally {
    for (const { stop } of started.flat()) await stop();
  }
}

/** The rates of each variant, turn by turn. */
async function measureTurns(
  started: Service[][],
  workload: Workload,
  { rounds, seconds, warmUpSeconds }: Options,
): Promise<number[][]> {
  const rates = started.map(() => [] as number[]);
  for (const services of started) await measure(services, workload, warmUpSeconds);
  const order = [...started.keys()];
  for (let round = 1; round <= rounds; round += 1) {
    // what the machine does meanwhile meets each of them
    order.push(order.shift()!);
    for (const index of order)
      rates[index]!.push(await measure(started[index]!, workload, seconds));
  }
  return rates;
}

async function measure(services: Service[], { requests }: Workload, seconds: number) {
  const clients = CLIENTS / services.length;
  const rates = services.map(async (service) =>
    measureThroughput(service, requests, clients, seconds),
  );
  return (await Promise.all(rates)).reduce((sum, rate) => sum + rate, 0);
}

async function startOn(url: string, settings: Record<string, string> = {}) {
  return startService({ DATABASE_URL: url, ...NOTHING_ON, ...settings });
}

async function seededDatabase(server: BenchServer, name: string): Promise<string> {
  const url = await server.createDatabase(name);
  await seed(url);
  return url;
}

async function seed(url: string): Promise<void> {
  const service = await startOn(url);
  try {
    await importRows(service, writeRows(1, ROWS));
  } finally {
    await service.stop();
  }
  await query(url, 'VACUUM ANALYZE marathon');
}
