import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { measureLatencies } from './load.js';
import type { Options } from './options.js';
import { BARE, startOurs, startPeer, type StartedPeer } from './peers.js';
import type { BenchServer } from './postgres.js';
import { describeRatio, median, type Say, type Section } from './report.js';
import { ALL_ON } from './service.js';
import { ITEM } from './workloads.js';

const ACTIVE = 1000;
const CONNECTED = [1000, 10_000];
/** More than there are clients, for both limits. */
const LIMITS = { MAX_CONNECTIONS: '20000', MAX_CONNECTIONS_PER_ADDRESS: '20000' };
const CONNECTING_AT_ONCE = 500;
/** Node accepts one connection in each turn of its event loop: that all are connected takes up to three seconds. */
const SECONDS = 10;
const MAX_ROUNDS = 5;

/** What a thousand clients wait for a marathon, while others are connected and send nothing. */
export async function measureClients(
  server: BenchServer,
  options: Options,
  say: Say,
): Promise<Section[]> {
  const rounds = Math.min(options.rounds, MAX_ROUNDS);
  const peers = [
    await startOurs(server, 100, { ...ALL_ON, ...LIMITS }),
    await startPeer(server, BARE, 100),
  ];
  try {
    for (const peer of peers) await measure(peer, ACTIVE, options.warmUpSeconds);
    const rows = [];
    for (const connected of CONNECTED) {
      const p99: number[][] = [[], []];
      for (let round = 1; round <= rounds; round += 1) {
        say(`${connected} clients connected: round ${round} of ${rounds}`);
        for (const [index, peer] of peers.entries())
          p99[index]!.push(await measure(peer, connected, SECONDS));
      }
      const figures = p99.map((times) => median(times).toFixed(1));
      rows.push([connected.toLocaleString('en'), describeRatio(p99[0]!, p99[1]!), ...figures]);
    }
    return [
      {
        title: `${ACTIVE.toLocaleString('en')} clients that read a marathon by id, and others that are connected`,
        about:
          'The p99 of this service as a multiple of that of bare node:http + pg, and both in milliseconds. Less is better; with keys, limits, logs and metrics on.',
        columns: ['clients connected', 'p99, ratio', 'ours', 'bare'],
        rows,
      },
    ];
  } finally {
    for (const { stop } of peers) await stop();
  }
}

/** The p99 of the active clients, in milliseconds. */
async function measure(peer: StartedPeer, connected: number, seconds: number): Promise<number> {
  const idle: Socket[] = [];
  try {
    while (idle.length < connected - ACTIVE) {
      const count = Math.min(CONNECTING_AT_ONCE, connected - ACTIVE - idle.length);
      idle.push(...(await connectMany(peer, count)));
    }
    const { p99Ms } = await measureLatencies(peer, ITEM.requests[0]!, seconds, ACTIVE);
    const lost = idle.filter(({ destroyed }) => destroyed).length;
    if (lost) throw new Error(`${peer.name} closed ${lost} idle connections.`);
    return p99Ms;
  } finally {
    for (const socket of idle) socket.destroy();
  }
}

async function connectMany({ url }: StartedPeer, count: number): Promise<Socket[]> {
  const { hostname, port } = new URL(url);
  const connecting = Array.from({ length: count }, async () => {
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    // it is found out by `destroyed`
    return socket.on('error', () => undefined).resume();
  });
  return Promise.all(connecting);
}
