import { measureThroughput } from './load.js';
import type { Options } from './options.js';
import { BARE, growTo, OURS, startPeer, type StartedPeer } from './peers.js';
import type { BenchServer } from './postgres.js';
import { describeRate, describeRatio, type Say, type Section } from './report.js';
import { CREATE, ITEM, LIST, type Workload } from './workloads.js';

const CLIENTS = [1, 8, 32, 128, 512];
const WARM_UP_CLIENTS = 32;
const ROWS = [100, 10_000, 1_000_000];
const PAGE: Workload = { name: 'page of 100', requests: [{ path: '/marathon/?limit=100' }] };

interface Cell {
  workload: Workload;
  clients: number;
}

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
    const results = await compare(peers, withEachCount(workload), options, say);
    byClients.push([workload.name, ...results.map(describe)]);
  };
  try {
    for (const [step, rows] of ROWS.entries()) {
      say(`${rows.toLocaleString('en')} rows`);
      if (step) for (const peer of peers) await growTo(peer, ROWS[step - 1]! + 1, rows);
      const [items] = await compare(peers, [{ workload: ITEM, clients: 32 }], options, say);
      byRows[0]!.push(describe(items!));
      const [pages] = await compare([peers[0]!], [{ workload: PAGE, clients: 32 }], options, say);
      byRows[1]!.push(describeRate(pages![0]!));
      if (!step) for (const workload of [LIST, ITEM]) await compareByClients(workload);
    }
    await compareByClients(CREATE);
    return report(byClients, byRows, options);
  } finally {
    for (const { stop } of peers) await stop();
  }
}

function withEachCount(workload: Workload): Cell[] {
  return CLIENTS.map((clients) => ({ workload, clients }));
}

/** The rates of each server in each cell, with a new process of each server in each round. */
async function compare(
  peers: StartedPeer[],
  cells: Cell[],
  { rounds, warmUpSeconds }: Options,
  say: Say,
): Promise<number[][][]> {
  const rates = cells.map(() => peers.map(() => [] as number[]));
  for (let round = 1; round <= rounds; round += 1) {
    say(`${cells[0]!.workload.name}: round ${round} of ${rounds}`);
    for (const peer of peers) {
      await peer.restart();
      await measureThroughput(peer, cells[0]!.workload.requests, WARM_UP_CLIENTS, warmUpSeconds);
    }
    for (const [row, { workload, clients }] of cells.entries()) {
      for (const peer of peers) await measureThroughput(peer, workload.requests, clients, 1);
      for (const [column, peer] of peers.entries())
        rates[row]![column]!.push(await measureThroughput(peer, workload.requests, clients, 1));
    }
  }
  return rates;
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
      columns: ['workload', ...CLIENTS.map(String)],
      rows: byClients,
    },
    {
      title: 'With more rows, 32 clients',
      about: `Rows in the columns; ${BARE} has no pages. ${how}`,
      columns: ['workload', ...ROWS.map((rows) => rows.toLocaleString('en'))],
      rows: byRows,
    },
  ];
}
