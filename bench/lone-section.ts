import { measureLatencies } from './load.js';
import type { Options } from './options.js';
import { BARE, OURS, startPeer } from './peers.js';
import type { BenchServer } from './postgres.js';
import { describeRatio, median, type Section } from './report.js';
import { CREATE, ITEM, LIST } from './workloads.js';

/** A single client with one request after another, for which batching gains nothing. */
export async function measureLoneClient(
  server: BenchServer,
  { rounds, seconds, warmUpSeconds }: Options,
  say: (text: string) => void,
): Promise<Section[]> {
  const peers = [await startPeer(server, OURS, 100), await startPeer(server, BARE, 100)];
  try {
    const rows = [];
    for (const { name, requests } of [LIST, ITEM, CREATE]) {
      const request = requests[0]!;
      for (const { url } of peers) await measureLatencies(url, request, warmUpSeconds);
      const p50: number[][] = [[], []];
      const p99: number[][] = [[], []];
      for (let round = 1; round <= rounds; round += 1) {
        say(`${name}, one client: round ${round} of ${rounds}`);
        for (const [index, { url }] of peers.entries()) {
          const { p50Ms, p99Ms } = await measureLatencies(url, request, seconds);
          p50[index]!.push(p50Ms);
          p99[index]!.push(p99Ms);
        }
      }
      const figures = [...p50, ...p99].map((times) => median(times).toFixed(2));
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
          'Less is better. The last four columns are milliseconds: p50 of this service and of the other, p99 of both.',
        columns: ['workload', 'p50', 'p99', 'p50 ours', 'p50 bare', 'p99 ours', 'p99 bare'],
        rows,
      },
    ];
  } finally {
    for (const { stop } of peers) await stop();
  }
}
