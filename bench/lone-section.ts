import { measureLatencies } from './load.js';
import type { Options } from './options.js';
import { BARE, startOurs, startPeer } from './peers.js';
import type { BenchServer } from './postgres.js';
import { describeRatio, median, type Say, type Section } from './report.js';
import { ALL_ON } from './service.js';
import { CREATE, ITEM, LIST } from './workloads.js';

/** A single client with one request after another, for which batching gains nothing. */
export async function measureLoneClient(
  server: BenchServer,
  { rounds, seconds, warmUpSeconds }: Options,
  say: Say,
): Promise<Section[]> {
  const peers = [await startOurs(server, 100, ALL_ON), await startPeer(server, BARE, 100)];
  try {
    const rows = [];
    for (const { name, requests } of [LIST, ITEM, CREATE]) {
      const request = requests[0]!;
      for (const peer of peers) await measureLatencies(peer, request, warmUpSeconds);
      const p50: number[][] = [[], []];
      const p99: number[][] = [[], []];
      for (let round = 1; round <= rounds; round += 1) {
        say(`${name}, one client: round ${round} of ${rounds}`);
        for (const [index, peer] of peers.entries()) {
          const { p50Ms, p99Ms } = await measureLatencies(peer, request, seconds);
          p50[index]!.push(p50Ms);
          p99[index]!.push(p99Ms);
        }
      }
      const figures = [...p50, ...p99].map((times) => median(times).toFixed(3));
      rows.push([
        name,
        describeRatio(p50[0]!, p50[1]!),
        describeRatio(p99[0]!, p99[1]!),
        ...figures,
      ]);
    }
    return [
      {
        title: 'One client alone: its waiting, as a multiple of that for bare node:http + pg',
        about:
          'Less is better; with keys, limits, logs and metrics on. The last four columns are milliseconds: p50 of this service and of the other, p99 of both.',
        columns: ['workload', 'p50', 'p99', 'p50 ours', 'p50 bare', 'p99 ours', 'p99 bare'],
        rows,
      },
    ];
  } finally {
    for (const { stop } of peers) await stop();
  }
}
