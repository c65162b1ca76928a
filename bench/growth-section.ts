import { measureThroughput } from './load.js';
import type { Options } from './options.js';
import { BARE, growTo, OURS, startPeer } from './peers.js';
import type { BenchServer } from './postgres.js';
import { describeRate, describeRatio, type Say, type Section } from './report.js';
import { CREATE, ITEM, LIST, type Workload } from './workloads.js';

const CLIENTS = [1, 8, 32, 128, 512];
const ROWS = [100, 10_000, 1_000_000];
const PAGE: Workload = { name: 'page of 100', requests: [{ path: '/marathon/?limit=100' }] };

/** Results with more clients, and with more rows. */
export async function measureGrowth(
  server: BenchServer,
  options: Options,
  say: Say,
): Promise<Section[]> {
  const peers = [await startPeer(server, OURS, 100), await startPeer(server, BARE, 100)];
  const [ours, bare] = [peers[0]!, peers[1]!];
  const compare = async ({ requests }: Workload, clients: number) => {
    const rates: number[][] = [[], []];
    for (const peer of peers) await measureThroughput(peer, requests, clients, 1);
    for (let round = 1; round <= options.rounds; round += 1) {
      for (const [index, peer] of peers.entries()) {
        rates[index]!.push(await measureThroughput(peer, requests, clients, 1));
      }
    }
    return `${describeRatio(rates[0]!, rates[1]!)}, ${describeRate(rates[0]!)}`;
  };
  try {
    const byRows: string[][] = [[ITEM.name], [PAGE.name]];
    const byClients = [];
    for (const [step, rows] of ROWS.entries()) {
      say(`${rows.toLocaleString('en')} rows`);
      if (step) for (const peer of peers) await growTo(peer, ROWS[step - 1]! + 1, rows);
      byRows[0]!.push(await compare(ITEM, 32));
      const rates = [];
      for (let round = 0; round < options.rounds; round += 1) {
        rates.push(await measureThroughput(ours, PAGE.requests, 32, 1));
      }
      byRows[1]!.push(describeRate(rates));
      if (step) continue;
      for (const workload of [LIST, ITEM]) {
        byClients.push([workload.name, ...(await eachCount(workload, compare, say))]);
      }
    }
    byClients.push([CREATE.name, ...(await eachCount(CREATE, compare, say))]);
    return [
      {
        title: 'With more clients: the ratio to bare node:http + pg, and requests a second',
        about: 'Clients in the columns. The creates are into a million rows.',
        columns: ['workload', ...CLIENTS.map(String)],
        rows: byClients,
      },
      {
        title: 'With more rows, 32 clients',
        about: `Rows in the columns; ${bare.name} has no pages.`,
        columns: ['workload', ...ROWS.map((rows) => rows.toLocaleString('en'))],
        rows: byRows,
      },
    ];
  } finally {
    for (const { stop } of peers) await stop();
  }
}

async function eachCount(
  workload: Workload,
  compare: (workload: Workload, clients: number) => Promise<string>,
  say: Say,
): Promise<string[]> {
  const cells = [];
  for (const clients of CLIENTS) {
    say(`${workload.name}, ${clients} clients`);
    cells.push(await compare(workload, clients));
  }
  return cells;
}
