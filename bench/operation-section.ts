import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { measureInterleaved, shuffled } from './interleaved.js';
import { measureThroughput, type Headers } from './load.js';
import type { Options } from './options.js';
import { importRows } from './peers.js';
import { query, whileSending, writeRows, type BenchServer } from './postgres.js';
import { processorMicroseconds, type RunningPeer } from './processes.js';
import { describeRate, describeRatio, median, type Say, type Section } from './report.js';
import { ALL_ON, createKey, NOTHING_ON, startService } from './service.js';
import { LIST, WORKLOADS, type Workload } from './workloads.js';

const [CLIENTS, ROWS] = [32, 100];
/** Most code is common to all workloads. It would be compiled while the first one is measured. */
const COMMON_WARM_UPS = 2;

interface Turn {
  perSecond: number;
  /** Processor time of the service for each request. A busy machine changes it less than the rate. */
  microseconds?: number;
}

interface Variant extends RunningPeer {
  databaseUrl: string;
  headers: Headers;
}

/** Two processes with the same settings differ too: `off again` shows by how much. */
const VARIANTS = { off: NOTHING_ON, 'off again': NOTHING_ON, on: ALL_ON };

/** This service with keys, limits, metrics and the log of requests, beside itself without all of them. */
export async function measureOperation(
  server: BenchServer,
  options: Options,
  say: Say,
): Promise<Section[]> {
  const folder = await mkdtemp(join(tmpdir(), 'marathon-bench-'));
  const turns = WORKLOADS.map(() => Object.keys(VARIANTS).map(() => [] as Turn[]));
  try {
    // each process of a variant is a little faster or slower than another one, for as long as it lives
    for (let round = 1; round <= options.rounds; round += 1) {
      say(`all on and all off: round ${round} of ${options.rounds}`);
      await measureStart(server, folder, options, turns, `round_${round}`);
    }
    return [describe(turns, options)];
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** Starts each variant, and adds a turn of it in each workload. */
async function measureStart(
  server: BenchServer,
  folder: string,
  { seconds, warmUpSeconds }: Options,
  turns: Turn[][][],
  label: string,
): Promise<void> {
  const variants: Variant[] = [];
  try {
    for (const [name, settings] of Object.entries(VARIANTS))
      variants.push(await start(server, `${label}_${name.replace(' ', '_')}`, settings, folder));
    for (const variant of shuffled(variants))
      await warmUp(variant, LIST, COMMON_WARM_UPS * warmUpSeconds);
    for (const [row, workload] of WORKLOADS.entries()) {
      for (const variant of shuffled(variants)) await warmUp(variant, workload, warmUpSeconds);
      const measured = await measure(variants, workload, seconds);
      for (const [column, turn] of measured.entries()) turns[row]![column]!.push(turn);
    }
  } finally {
    for (const { stop } of variants) await stop();
  }
}

function describe(turns: Turn[][][], { rounds, seconds }: Options): Section {
  return {
    title: 'With keys, limits, metrics and a log of requests, to all of them off',
    about: `${CLIENTS} clients, each with a key; the log at info in a file. Medians of ${rounds} starts with ${seconds} s of each workload; the variants take turns of half a second. Off is the mean of two processes.`,
    columns: [
      'workload',
      'on to the mean of both off',
      'off again to off',
      'off',
      'on',
      'µs of processor time, off',
      'off again',
      'on',
    ],
    rows: WORKLOADS.map(({ name }, row) => [name, ...describeTurns(turns[row]!)]),
  };
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
  await importRows({ ...started, headers }, writeRows(1, ROWS));
  await query(databaseUrl, 'VACUUM ANALYZE marathon');
  return { ...started, databaseUrl, headers: settings === ALL_ON ? headers : {} };
}

function describeTurns(turns: Turn[][]): string[] {
  const [off, again, on] = turns.map((of) => of.map(({ perSecond }) => perSecond));
  // one process alone differs from the next by a tenth, and both are the same service
  const bothOff = off!.map((rate, index) => (rate + again![index]!) / 2);
  const ratios = [describeRatio(on!, bothOff), describeRatio(again!, off!)];
  return [...ratios, describeRate(off!), describeRate(on!), ...turns.map(describeTime)];
}

function describeTime(turns: Turn[]): string {
  const times = turns.map(({ microseconds }) => microseconds ?? 0);
  return times[0] ? median(times).toFixed(1) : 'not measured';
}

async function warmUp(variant: Variant, { requests }: Workload, seconds: number): Promise<void> {
  await measureThroughput(variant, requests, CLIENTS, seconds);
}

/** All variants, each for a number of seconds. */
async function measure(
  variants: Variant[],
  { requests, meanwhile }: Workload,
  seconds: number,
): Promise<Turn[]> {
  const loads = variants.map(({ url, headers }) => ({
    url,
    headers,
    requests,
    clients: CLIENTS,
    seconds,
  }));
  const used = () => variants.map(({ pid }) => processorMicroseconds(pid));
  const before = used();
  const answers = await measureInterleaved(loads, async (index, work) =>
    meanwhile ? whileSending(variants[index]!.databaseUrl, meanwhile, work) : work(),
  );
  const after = used();
  return answers.map(({ count, perSecond }, index) => ({
    perSecond,
    microseconds: timeOf(before[index], after[index], count),
  }));
}

/** The processor time of a request, in microseconds. */
function timeOf(before: number | undefined, after: number | undefined, count: number) {
  return before === undefined || after === undefined ? undefined : (after - before) / count;
}
