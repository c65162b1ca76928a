import { join, resolve } from 'node:path';
import { measureInterleaved, shuffled } from './interleaved.js';
import { measureThroughput } from './load.js';
import type { Options } from './options.js';
import { BARE, startOurs, startPeer, type StartedPeer } from './peers.js';
import { query, whileSending, type BenchServer } from './postgres.js';
import { describeRate, describeRatio, type Say, type Section } from './report.js';
import { measureRounds } from './turns.js';
import { CREATE, ITEM, LIST, LIST_MEANWHILE, MIXED, type Workload } from './workloads.js';

const ROWS = 100;
const CLIENT_COUNTS = [1, 8, 32, 128, 512];
const CLIENTS = 32;

interface Row {
  name: string;
  workload: Workload;
  clients: number;
}

const rowOf = (workload: Workload, clients = CLIENTS): Row => ({
  name: `${workload.name}, ${clients} clients`,
  workload,
  clients,
});
const withEach = (workload: Workload) => CLIENT_COUNTS.map((clients) => rowOf(workload, clients));
/** Reads come first, while there are a hundred rows. */
const READS = [...withEach(LIST), rowOf(LIST_MEANWHILE), ...withEach(ITEM)];
const WRITES = [rowOf(MIXED), ...withEach(CREATE)];

/**
 * This service and an earlier version of it, each beside the hand-written server in the same run: ratios of different
 * days differ with the machine too. Nothing without `--earlier`.
 */
export async function measureVersions(
  server: BenchServer,
  options: Options,
  say: Say,
): Promise<Section[]> {
  const { earlier } = options;
  if (!earlier) return [];
  const built = `${join(resolve(earlier), 'dist/src')}/`;
  const peers: StartedPeer[] = [];
  try {
    peers.push(await startOurs(server, ROWS), await startOurs(server, ROWS, {}, built));
    peers.push(await startPeer(server, BARE, ROWS));
    const measureEach = async (rows: Row[]) =>
      measureRounds(
        peers,
        async (peer, seconds) => warmUp(peer, rowOf(rows[0]!.workload), seconds),
        rows,
        async (row) => measure(peers, row, options.seconds),
        options,
        say,
      );
    const reads = await measureEach(READS);
    const writes = await measureEach(WRITES);
    return [describe([...reads, ...writes], options)];
  } finally {
    for (const { stop } of peers) await stop();
  }
}

async function measure(peers: StartedPeer[], row: Row, seconds: number): Promise<number[]> {
  const { workload, clients } = row;
  for (const peer of shuffled(peers)) {
    // a server that keeps its plans would go on with one that was made before the table grew
    await query(peer.databaseUrl, 'ANALYZE marathon');
    await warmUp(peer, row, 1);
  }
  const { requests, meanwhile } = workload;
  const loads = peers.map(({ url, headers = {} }) => ({
    url,
    headers,
    requests,
    clients,
    seconds,
  }));
  const answers = await measureInterleaved(loads, async (index, work) =>
    meanwhile ? whileSending(peers[index]!.databaseUrl, meanwhile, work) : work(),
  );
  return answers.map(({ perSecond }) => perSecond);
}

async function warmUp(peer: StartedPeer, { workload, clients }: Row, seconds: number) {
  await measureThroughput(peer, workload.requests, clients, seconds);
}

function describe(rates: number[][][], { rounds, seconds }: Options): Section {
  return {
    title: 'This version and an earlier one',
    about: `Medians of ${rounds} starts with ${seconds} s of each row, and the range; the servers take turns of half a second.`,
    columns: [
      'workload',
      'clients',
      'to earlier',
      `to ${BARE}`,
      'earlier to it',
      'requests a second',
    ],
    rows: [...READS, ...WRITES].map(({ workload, clients }, row) => {
      const [now, before, bare] = rates[row]!;
      const ratios = [
        describeRatio(now!, before!),
        describeRatio(now!, bare!),
        describeRatio(before!, bare!),
      ];
      return [workload.name, String(clients), ...ratios, describeRate(now!)];
    }),
  };
}
