import { measureThroughput } from './load.js';
import type { Options } from './options.js';
import { BARE, NO_DATABASE, OURS, PEERS, startOurs, startPeer, type StartedPeer } from './peers.js';
import { residentMiB } from './processes.js';
import { query, whileSending, type BenchServer } from './postgres.js';
import { describeRate, describeRatio, type Say, type Section } from './report.js';
import { ALL_ON } from './service.js';
import { READS, WORKLOADS, WRITES, type Workload } from './workloads.js';

const [CLIENTS, ROWS] = [32, 100];

/** All servers in each workload, in turn, and their memory. */
export async function measurePeers(
  server: BenchServer,
  options: Options,
  say: Say,
): Promise<Section[]> {
  const peers = PEERS.filter(({ isInstalled }) => isInstalled());
  const starts = peers.map((peer) => async () => peer.start(server, ROWS));
  return compare(starts, options, say);
}

/** As `measurePeers`, with keys, limits, the log of requests and metrics, beside two hand-written servers. */
export async function measureWithKeys(
  server: BenchServer,
  options: Options,
  say: Say,
): Promise<Section[]> {
  const others = [BARE, NO_DATABASE].map((name) => async () => startPeer(server, name, ROWS));
  const starts = [async () => startOurs(server, ROWS, ALL_ON), ...others];
  const sections = await compare(starts, options, say);
  return sections.map((section) => ({
    ...section,
    title: `With keys, limits, logs and metrics: ${section.title}`,
  }));
}

async function compare(
  starts: (() => Promise<StartedPeer>)[],
  options: Options,
  say: Say,
): Promise<Section[]> {
  const { rounds, seconds } = options;
  const peers: StartedPeer[] = [];
  try {
    for (const start of starts) peers.push(await start());
    const atRest = peers.map(({ pid }) => residentMiB(pid));
    const underLoad = peers.map(() => 0);
    const rates: number[][][] = [];
    for (const workloads of [READS, WRITES])
      rates.push(...(await measureInTurn(peers, workloads, underLoad, options, say)));
    const names = peers.map(({ name }) => name);
    const others = names.filter((name) => name !== OURS);
    const of = (row: number, name: string) => rates[row]![names.indexOf(name)]!;
    return [
      {
        title: `${CLIENTS} clients: how many times as many requests as others`,
        about: `Medians of ${rounds} starts with a turn of ${seconds} s, everybody after everybody, and the range of the turns' ratios.`,
        columns: ['workload', ...others.map((name) => `to ${name}`)],
        rows: WORKLOADS.map(({ name }, row) => [
          name,
          ...others.map((other) => describeRatio(of(row, OURS), of(row, other))),
        ]),
      },
      {
        title: 'The same as requests a second',
        about: 'Of this machine at that time: only the ratios carry over.',
        columns: ['workload', ...names],
        rows: WORKLOADS.map(({ name }, row) => [
          name,
          ...names.map((each) => describeRate(of(row, each))),
        ]),
      },
      {
        title: 'Memory, MiB',
        about:
          'Resident, of each with its workers and without PostgreSQL, before the load and at the most during it.',
        columns: ['', ...names],
        rows: [
          ['at rest', ...atRest.map(showMiB)],
          ['under load', ...underLoad.map(showMiB)],
        ],
      },
    ];
  } finally {
    for (const { stop } of peers) await stop();
  }
}

/** The rates of each server in each workload, with a new process of each server in each round. */
async function measureInTurn(
  peers: StartedPeer[],
  workloads: Workload[],
  underLoad: number[],
  { rounds, seconds, warmUpSeconds }: Options,
  say: Say,
): Promise<number[][][]> {
  const rates = workloads.map(() => peers.map(() => [] as number[]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const peer of peers) {
      await peer.restart();
      await measure(peer, workloads[0]!, warmUpSeconds);
    }
    for (const [row, workload] of workloads.entries()) {
      say(`${workload.name}, ${CLIENTS} clients: round ${round} of ${rounds}`);
      for (const peer of peers) await measure(peer, workload, 1);
      for (const [column, peer] of peers.entries()) {
        rates[row]![column]!.push(await measure(peer, workload, seconds));
        underLoad[column] = Math.max(underLoad[column]!, residentMiB(peer.pid) ?? 0);
      }
    }
  }
  return rates;
}

async function measure(
  peer: StartedPeer,
  { requests, meanwhile }: Workload,
  seconds: number,
): Promise<number> {
  // a server that keeps its plans would go on with one that was made before the table grew
  await query(peer.databaseUrl, 'ANALYZE marathon');
  const load = async () => measureThroughput(peer, requests, CLIENTS, seconds);
  return meanwhile ? whileSending(peer.databaseUrl, meanwhile, load) : load();
}

function showMiB(mebibytes: number | undefined): string {
  return mebibytes ? String(Math.round(mebibytes)) : 'not measured';
}
