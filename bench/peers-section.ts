import { measureThroughput } from './load.js';
import type { Options } from './options.js';
import { BARE, NO_DATABASE, OURS, PEERS, startOurs, startPeer, type StartedPeer } from './peers.js';
import { residentMiB } from './processes.js';
import { query, whileSending, type BenchServer } from './postgres.js';
import { describeRate, describeRatio, type Say, type Section } from './report.js';
import { ALL_ON } from './service.js';
import { measureInTurn, type Row } from './turns.js';
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
    const underLoad = new Map<string, number>();
    const rates: number[][][] = [];
    for (const workloads of [READS, WRITES]) {
      const rows = workloads.map((workload) => rowOf(workload, underLoad));
      rates.push(...(await measureInTurn(peers, rows[0]!, rows, options, say)));
    }
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
          ['under load', ...names.map((name) => showMiB(underLoad.get(name)))],
        ],
      },
    ];
  } finally {
    for (const { stop } of peers) await stop();
  }
}

/** Notes the largest memory of each server in `underLoad`, by its name. */
function rowOf(workload: Workload, underLoad: Map<string, number>): Row {
  return {
    name: `${workload.name}, ${CLIENTS} clients`,
    measure: async (peer, seconds) => {
      const perSecond = await measure(peer, workload, seconds);
      const most = Math.max(underLoad.get(peer.name) ?? 0, residentMiB(peer.pid) ?? 0);
      underLoad.set(peer.name, most);
      return perSecond;
    },
  };
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
