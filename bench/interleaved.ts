import type { ChildProcess } from 'node:child_process';
import { setTimeout as wait } from 'node:timers/promises';
import { measureThroughput, loadGenerator, mustBeAnswered, type Load } from './load.js';
import { runWrk, type WrkReport } from './wrk.js';

/**
 * Short beside the time in which a shared machine becomes faster or slower, which is tens of seconds. After each turn of
 * another server the caches of the processor are cold, so that turns of 100 ms cost who has more code more.
 */
const SLOT_MS = 500;
/** Until all clients are connected. */
const CONNECT_MS = 30;

/** Runs `work`, during which the load with this number is active. */
export type AroundSlot = (index: number, work: () => Promise<void>) => Promise<void>;

interface PausedWrk {
  child: ChildProcess;
  report: Promise<WrkReport>;
  activeMs: number;
}

export interface Answers {
  count: number;
  perSecond: number;
}

/**
 * Sends each load for as many seconds as it asks for, and returns how many answers it got. One is active at a
 * time, for half a second: what a shared machine does meanwhile slows all of them equally. Without wrk, which can
 * be paused, they are sent one after another.
 */
export async function measureInterleaved(loads: Load[], around: AroundSlot): Promise<Answers[]> {
  if (!loadGenerator.startsWith('wrk')) return measureOneByOne(loads, around);
  const clients: PausedWrk[] = [];
  try {
    for (const load of loads) clients.push(await startPaused(load, loads.length));
    const endsAt = performance.now() + 1000 * loads.length * loads[0]!.seconds;
    while (performance.now() < endsAt) await runRound(clients, around);
  } finally {
    for (const { child } of clients) {
      child.kill('SIGINT');
      child.kill('SIGCONT');
    }
  }
  const reports = await Promise.all(clients.map(async ({ report }) => report));
  return reports.map(({ failed, count }, index) => {
    mustBeAnswered(failed, loads[index]!.url);
    return { count, perSecond: (1000 * count) / clients[index]!.activeMs };
  });
}

async function measureOneByOne(loads: Load[], around: AroundSlot): Promise<Answers[]> {
  const answers: Answers[] = [];
  for (const [index, load] of loads.entries())
    await around(index, async () => {
      const perSecond = await measureThroughput(load, load.requests, load.clients, load.seconds);
      answers.push({ count: perSecond * load.seconds, perSecond });
    });
  return answers;
}

async function startPaused(load: Load, count: number): Promise<PausedWrk> {
  return new Promise((resolve, reject) => {
    const pause = (child: ChildProcess) => {
      child.kill('SIGSTOP');
      resolve({ child, report, activeMs: CONNECT_MS });
    };
    // it is stopped before: one more round and a second for what is late
    const seconds = load.seconds * count + Math.ceil((SLOT_MS * count) / 1000) + 1;
    const report = runWrk({ ...load, seconds }, (child) => {
      setTimeout(pause, CONNECT_MS, child);
    });
    report.catch(reject);
  });
}

/** Each client once, in another order each time: who comes after whom matters too. */
async function runRound(clients: PausedWrk[], around: AroundSlot): Promise<void> {
  for (const [index, client] of shuffled([...clients.entries()])) {
    await around(index, async () => {
      const startedAt = performance.now();
      client.child.kill('SIGCONT');
      await wait(SLOT_MS);
      client.child.kill('SIGSTOP');
      client.activeMs += performance.now() - startedAt;
    });
  }
}

/** Who is started and warmed up first has an advantage: its code is compiled while others are warmed up. */
export function shuffled<T>(items: T[]): T[] {
  return items
    .map((item) => ({ item, position: Math.random() }))
    .toSorted((a, b) => a.position - b.position)
    .map(({ item }) => item);
}
