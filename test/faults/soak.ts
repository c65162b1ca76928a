// npm run soak -- --minutes 30: checks the invariants of the journal during random faults.
import { spawnSync } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { holdLaws, writeFor, type Written } from '../support/laws.js';
import { startOwnServer } from '../support/own-server.js';
import { startProxy, type Link } from '../support/proxy.js';
import { pick, random, seed } from '../support/seed.js';
import { startService } from '../support/service.js';
import type { Writers } from '../support/writers.js';

const SECONDS = 60 * Number(process.env.SOAK_MINUTES);
const REPORT_MS = 10_000;
const MOST_GROWTH_MIB = 64;
/** A silent connection may take a third of the deadline, and the next one may be silent too. */
const AFTER_SILENCE_MS = 6000;

describe(`the journal, through ${SECONDS} seconds of random faults with the seed ${seed}`, () => {
  let server: Awaited<ReturnType<typeof startOwnServer>>;
  let proxy: Awaited<ReturnType<typeof startProxy>>;
  let services: Awaited<ReturnType<typeof startService>>[];
  let written: Written;
  const memoryMib: number[] = [];
  const done: Record<string, number> = {};

  beforeAll(
    async () => {
      server = await startOwnServer();
      proxy = await startProxy(server.url);
      const settings = { DATABASE_URL: proxy.url };
      services = await Promise.all([startService(settings), startService(settings)]);
      const urls = services.map(({ url }) => url);
      written = await writeFor(SECONDS, urls, server, cause);
      console.log(done);
    },
    SECONDS * 1000 + 120_000,
  );
  afterAll(async () => {
    await Promise.all(services.map(async ({ stop }) => stop()));
    await proxy.close();
    await server.close();
  });

  const resting = () => [...proxy.links].filter(({ lastUsedAt }) => Date.now() - lastUsedAt > 100);
  const some = () => [...proxy.links].filter(() => random() < 0.5);
  const restart = (signal: NodeJS.Signals) => async () => server.restart(signal);
  const cutWrites = (direction: 'onRequest' | 'onAnswer') => async () => {
    proxy.breakBy({
      [direction]: ({ toService }: Link) => random() < 0.95 || !toService.resetAndDestroy(),
    });
    await wait(1000);
  };

  const faults: Record<string, () => Promise<unknown>> = {
    'all connections ended': async () =>
      server.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                    WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()`),
    'resting connections closed': async () => resting().map(({ toService }) => toService.end()),
    'some connections reset': async () =>
      some().map(({ toService }) => toService.resetAndDestroy()),
    'cut on the way there': cutWrites('onRequest'),
    'cut on the way back': cutWrites('onAnswer'),
    'some connections silent': async () => {
      const silent = new Set(some());
      const isHeard = (link: Link) => !silent.has(link);
      proxy.breakBy({ onRequest: isHeard, onAnswer: isHeard });
      await wait(AFTER_SILENCE_MS);
    },
    'nobody answers': async () => {
      proxy.refuse(true);
      await wait(3000 * random());
      proxy.refuse(false);
    },
    'restarted fast': restart('SIGINT'),
    'restarted at once': restart('SIGQUIT'),
    'restarted by force': restart('SIGKILL'),
    'unavailable for seconds': async () => {
      await server.stop();
      await wait(4000 * random());
      await server.start();
    },
    'service frozen': async () => {
      const { pid } = pick(services);
      process.kill(pid, 'SIGSTOP');
      await wait(3000 * random());
      process.kill(pid, 'SIGCONT');
    },
  };

  async function cause(until: AbortSignal, writers: Writers): Promise<void> {
    const reporting = setInterval(() => report(writers), REPORT_MS);
    try {
      for (;;) {
        if (until.aborted) return;
        const name = pick(Object.keys(faults));
        await faults[name]!();
        proxy.breakBy({});
        done[name] = (done[name] ?? 0) + 1;
        await wait(500 + 1500 * random());
      }
    } finally {
      clearInterval(reporting);
    }
  }

  function report({ requestCount, failures }: Writers): void {
    memoryMib.push(Math.max(...services.map(({ pid }) => measureMemoryMib(pid))));
    const count = Object.values(done).reduce((sum, times) => sum + times, 0);
    const text = `${memoryMib.length * 10} s: ${count} faults, ${requestCount} writes, ${failures.length} failed`;
    process.stderr.write(`${text}, ${memoryMib.at(-1)} MiB\n`);
  }

  holdLaws(() => written);

  it('uses no more memory at the end than at the start', () => {
    const quarter = Math.ceil(memoryMib.length / 4);
    const [early, late] = [memoryMib.slice(quarter, 2 * quarter), memoryMib.slice(-quarter)];
    expect(median(late) - median(early)).toBeLessThan(MOST_GROWTH_MIB);
  });
});

function measureMemoryMib(pid: number): number {
  const { stdout } = spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' });
  return Math.round(Number(stdout) / 1024);
}

function median(numbers: number[]): number {
  return numbers.toSorted((a, b) => a - b)[Math.floor(numbers.length / 2)]!;
}
