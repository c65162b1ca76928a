import { shuffled } from './interleaved.js';
import type { Options } from './options.js';
import type { StartedPeer } from './peers.js';
import type { Say } from './report.js';

/** What is measured of each server: its answers per second. */
export interface Row {
  name: string;
  measure: (peer: StartedPeer, seconds: number) => Promise<number>;
}

/**
 * The rates of each server in each row, with a new process of each server in each round. `warmUp` lets a new process
 * compile its code. `measureAll` returns the rates of all servers in a row.
 */
export async function measureRounds<R extends { name: string }>(
  peers: StartedPeer[],
  warmUp: (peer: StartedPeer, seconds: number) => Promise<unknown>,
  rows: R[],
  measureAll: (row: R) => Promise<number[]>,
  { rounds, warmUpSeconds }: Options,
  say: Say,
): Promise<number[][][]> {
  const rates = rows.map(() => peers.map(() => [] as number[]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const peer of shuffled(peers)) {
      await peer.restart();
      await warmUp(peer, warmUpSeconds);
    }
    for (const [index, row] of rows.entries()) {
      say(`${row.name}: round ${round} of ${rounds}`);
      const measured = await measureAll(row);
      for (const [column, rate] of measured.entries()) rates[index]![column]!.push(rate);
    }
  }
  return rates;
}

/** As `measureRounds`, everybody after everybody. */
export async function measureInTurn(
  peers: StartedPeer[],
  warmUp: Row,
  rows: Row[],
  options: Options,
  say: Say,
): Promise<number[][][]> {
  const measureAll = async ({ measure }: Row) => {
    for (const peer of peers) await measure(peer, 1);
    const rates: number[] = [];
    for (const peer of peers) rates.push(await measure(peer, options.seconds));
    return rates;
  };
  return measureRounds(peers, warmUp.measure, rows, measureAll, options, say);
}
