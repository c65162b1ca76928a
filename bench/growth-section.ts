import { measureThroughput } from './load.js';
import type { Options } from './options.js';
import { BARE, growTo, OURS, startPeer, type StartedPeer } from './peers.js';
import type { BenchServer } from './postgres.js';
import { describeRate, describeRatio, type Say, type Section } from './report.js';
import { measureInTurn, type Row } from './turns.js';
import { CREATE, ITEM, LIST, type Workload } from './workloads.js';

const CLIENT_COUNTS = [1, 8, 32, 128, 512];
const CLIENTS = 32;
const ROWS = [100, 10_000, 1_000_000];
const PAGE: Workload = { name: 'page of 100', requests: [{ path: '/marathon/?limit=100' }] };

/** Results with more clients, and with more rows. */
export async function measureGrowth(
  server: BenchServer,
  options: Options,
  say: Say,
): Promise<Section[]> {
  const peers = [await startPeer(server, OURS, 100), await startPeer(server, BARE, 100)];
  const byRows: string[][] = [[ITEM.name], [PAGE.name]];
  const byClients: string[][] = [];
  const compareByClients = async (workload: Workload) => {
    const results = await compare(peers, workload, CLIENT_COUNTS, options, say);
    byClients.push([workload.name, ...results.map(describe)]);
  };
  try {
    for (const [step, rows] of ROWS.entries()) {
      say(`${rows.toLocaleString('en')} rows`);
      if (step) for (const peer of peers) await growTo(peer, ROWS[step - 1]! + 1, rows);
      const [items] = await compare(peers, ITEM, [CLIENTS], options, say);
      byRows[0]!.push(describe(items!));
      const [pages] = await compare([peers[0]!], PAGE, [CLIENTS], options, say);
      byRows[1]!.push(describeRate(pages![0]!));
      if (!step) for (const workload of [LIST, ITEM]) await compareByClients(workload);
    }
    await compareByClients(CREATE);
    return report(byClients, byRows, options);
  } finally {
    for (const { stop } of peers) await stop();
  }
}

/** The rates of each server, by the number of clients. */
async function compare(
  peers: StartedPeer[],
  workload: Workload,
  counts: number[],
  options: Options,
  say: Say,
): Promise<number[][][]> {
  const withClients = (clients: number): Row => ({
    name: `${workload.name}, ${clients} clients`,
    measure: async (peer, seconds) => measureThroughput(peer, workload.requests, clients, seconds),
  });
  const turns = { ...options, seconds: 1 };
  return measureInTurn(peers, withClients(CLIENTS), counts.map(withClients), turns, say);
}

function describe([ours, bare]: number[][]): string {
  return `${describeRatio(ours!, bare!)}, ${describeRate(ours!)}`;
}

function report(byClients: string[][], byRows: string[][], { rounds }: Options): Section[] {
  const how = `Medians of ${rounds} starts with a turn of a second, in turn.`;
  return [
    {
      title: 'With more clients: the ratio to bare node:http + pg, and requests a second',
      about: `Clients in the columns. The creates are into a million rows. ${how}`,
      columns: ['workload', ...CLIENT_COUNTS.map(String)],
      rows: byClients,
    },
    {
      title: `With more rows, ${CLIENTS} clients`,
      about: `Rows in the columns; ${BARE} has no pages. ${how}`,
      columns: ['workload', ...ROWS.map((rows) => rows.toLocaleString('en'))],
      rows: byRows,
    },
  ];
}
