import { connect, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { measureLatencies } from './load.js';
import type { Options } from './options.js';
import { writeRows, type BenchServer } from './postgres.js';
import { median, type Section } from './report.js';
import { ALL_ON, createKey, startService } from './service.js';
import { ITEM } from './workloads.js';

const ROWS = 20_000;
const SLOW_CLIENTS = 200;
const LISTENERS = 200;

type Attack = (url: string, signal: AbortSignal) => Promise<void>;

/** Sends requests one after another until `signal` aborts. */
function repeat(path: string, headers: Record<string, string> = {}, clients = 4): Attack {
  return async (url, signal) => {
    const client = async () => {
      while (!signal.aborted) {
        // an attacker does not mind a refusal
        await fetch(`${url}${path}`, { headers, signal }).then(
          async (answer) => answer.text(),
          () => wait(10),
        );
      }
    };
    await Promise.all(Array.from({ length: clients }, client));
  };
}

/** Opens connections that send the beginning of a request, and then a byte each second. */
function trickle(start: string): Attack {
  return async (url, signal) => {
    const { port } = new URL(url);
    const sockets: Socket[] = [];
    for (let count = 0; count < SLOW_CLIENTS; count += 1) {
      const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
      socket.write(start);
      sockets.push(socket);
    }
    while (!signal.aborted) {
      for (const socket of sockets) if (socket.writable) socket.write('a');
      await wait(1000);
    }
    for (const socket of sockets) socket.destroy();
  };
}

const HEAD = 'POST /marathon/ HTTP/1.1\r\nHost: localhost\r\n';
const LISTEN = { Accept: 'text/event-stream' };

const ATTACKS: Record<string, Attack> = {
  nothing: async () => undefined,
  'forged keys': repeat('/marathon/1', { apikey: `mr_${'0'.repeat(49)}` }, 8),
  'headers that trickle': trickle('GET / HTTP/1.1\r\nHost: localhost\r\nX: '),
  'bodies that trickle': trickle(
    `${HEAD}Content-Type: text/csv\r\nContent-Length: 100000\r\n\r\nname\n`,
  ),
  'regular expressions': repeat(String.raw`/marathon/?name=match.(a*)*\1\1b`),
  patterns: repeat(`/marathon/?name=like.${'*a'.repeat(60)}b`),
  'deep conditions': repeat(`/marathon/?and=${'('.repeat(5000)}`),
  'whole lists': repeat('/marathon/'),
  searches: repeat(`/marathon/?q=${'a%20'.repeat(40)}`),
  listeners: repeat('/marathon/changes?since=0', LISTEN, LISTENERS),
};

/** What one client waits for a marathon while others attack, and whether forged keys are refused evenly. */
export async function measureAttacks(
  server: BenchServer,
  { seconds }: Options,
  say: (text: string) => void,
): Promise<Section[]> {
  const databaseUrl = await server.createDatabase('bench_attacks');
  const key = await createKey(databaseUrl);
  const { url, stop } = await startService({ DATABASE_URL: databaseUrl, ...ALL_ON });
  try {
    const answer = await fetch(`${url}/marathon/`, {
      method: 'POST',
      headers: { ...key, 'Content-Type': 'text/csv' },
      body: writeRows(1, ROWS),
    });
    if (answer.status !== 201) throw new Error(await answer.text());
    const rows = [];
    for (const [name, attack] of Object.entries(ATTACKS)) {
      say(`a client while others attack: ${name}`);
      const ending = new AbortController();
      const attacked = attack(url, ending.signal);
      await wait(500);
      const { p50Ms, p99Ms } = await measureLatencies(url, ITEM.requests[0]!, 2 * seconds);
      ending.abort();
      await attacked;
      rows.push([name, p50Ms.toFixed(2), p99Ms.toFixed(2)]);
    }
    return [
      {
        title: 'One client while others attack, ms',
        about: `It reads a marathon again and again, of ${ROWS} marathons, while others send this. The attackers run in the same process as the client.`,
        columns: ['attack', 'p50', 'p99'],
        rows,
      },
      await measureKeyChecks(url, key.Authorization!.slice('Bearer '.length)),
    ];
  } finally {
    await stop();
  }
}

/** A key of which a part is right must not take longer to refuse. */
async function measureKeyChecks(url: string, key: string): Promise<Section> {
  const forged = {
    'no character': `mr_${'0'.repeat(49)}`,
    'the first half': key.slice(0, 26) + '0'.repeat(26),
    'all but one': `${key.slice(0, -7)}${key.at(-7) === 'a' ? 'b' : 'a'}${key.slice(-6)}`,
  };
  const times = Object.keys(forged).map(() => [] as number[]);
  for (let count = 0; count < 3000; count += 1) {
    for (const [index, apikey] of Object.values(forged).entries()) {
      const sentAt = performance.now();
      await (await fetch(`${url}/marathon/1`, { headers: { apikey } })).text();
      times[index]!.push(performance.now() - sentAt);
    }
  }
  return {
    title: 'Time to refuse a forged key, ms',
    about: 'Medians of 3,000, in turn.',
    columns: ['what is right', 'median'],
    rows: Object.keys(forged).map((name, index) => [name, median(times[index]!).toFixed(4)]),
  };
}
