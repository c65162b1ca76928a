import { once } from 'node:events';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { ATTACK_NAMES } from './attacks.js';
import { measureLatencies } from './load.js';
import type { Options } from './options.js';
import { importRows } from './peers.js';
import { writeRows, type BenchServer } from './postgres.js';
import { median, type Say, type Section } from './report.js';
import { ALL_ON, createKey, startService } from './service.js';
import { ITEM } from './workloads.js';

const ATTACKER = new URL('attacker.js', import.meta.url);
const ROWS = 20_000;
/** What one client waits for a marathon while others attack, and whether forged keys are refused evenly. */
export async function measureAttacks(
  server: BenchServer,
  { seconds }: Options,
  say: Say,
): Promise<Section[]> {
  const databaseUrl = await server.createDatabase('bench_attacks');
  const key = await createKey(databaseUrl);
  const { url, stop } = await startService({ DATABASE_URL: databaseUrl, ...ALL_ON });
  try {
    await importRows({ url, headers: key }, writeRows(1, ROWS));
    const rows = [];
    for (const name of ATTACK_NAMES) {
      say(`a client while others attack: ${name}`);
      const attacker = new Worker(ATTACKER, { workerData: { name, url } });
      await once(attacker, 'online');
      await wait(500);
      const { p50Ms, p99Ms } = await measureLatencies({ url }, ITEM.requests[0]!, 2 * seconds);
      await attacker.terminate();
      rows.push([name, p50Ms.toFixed(2), p99Ms.toFixed(2)]);
    }
    return [
      {
        title: 'One client while others attack, ms',
        about: `It reads a marathon again and again, of ${ROWS} marathons, while others send this. The attackers run in a thread of their own, on the same two processors.`,
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
