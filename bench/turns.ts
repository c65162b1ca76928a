import type { Options } from './options.js';
import type { StartedPeer } from './peers.js';
import type { Say } from './report.js';

/** What is measured of each server: its answers per second. */
export interface Row {
  name: string;
  measure: (peer: StartedPeer, seconds: number) => Promise<number>;
}

/**
 * The rates of each server in each row, everybody after everybody, with a new process of each server in each round.
 * `warmUp` lets a new process compile its code.
 */
export async function measureInTurn(
  peers: StartedPeer[],
  warmUp: Row,
  rows: Row[],
  { rounds, seconds, warmUpSeconds }: Options,
  say: Say,
): Promise<number[][][]> {
  const rates = rows.map(() => peers.map(() => [] as number[]));
  for (let round = 1; round <= rounds; round += 1) {
    for (const peer of peers) {
      await peer.restart();
      await warmUp.measure(peer, warmUpSeconds);
    }
    for (const [index, { name, measure }] of rows.entries()) {
      say(`${name}: round ${round} of ${rounds}`);
      for (const peer of peers) await measure(peer, 1);
      for (const [column, peer] of peers.entries())
        rates[index]![column]!.push(await measure(peer, seconds));
    }
  }
  return rates;
}
