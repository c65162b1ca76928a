import { setTimeout as wait } from 'node:timers/promises';
import { measureThroughput, loadGenerator, mustBeAnswered, type Load } from './load.js';
import { startWrk, type RunningWrk } from './wrk.js';

const SLOT_MS = 100;
/** Until all clients are connected. */
const CONNECT_MS = 30;

/** Called when the load with this number begins. What it returns ends what it began. */
export type OnSlot = (index: number) => () => Promise<void>;

interface PausedWrk extends RunningWrk {
  activeMs: number;
}

export interface Answers {
  count: number;
  perSecond: number;
}

/**
 * Sends each load for as many seconds as it asks for, and returns how many answers it got. One is active at a
 * time, for a tenth of a second: what a shared machine does meanwhile slows all of them equally. Without wrk, which can
 * be paused, they are sent one after another.
 */
export async function measureInterleaved(loads: Load[], onSlot: OnSlot): Promise<Answers[]> {
  if (!loadGenerator.startsWith('wrk')) return measureOneByOne(loads, onSlot);
  const clients: PausedWrk[] = [];
  try {
    for (const load of loads) clients.push(await startPaused(load, loads.length));
    const endsAt = performance.now() + 1000 * loads.length * loads[0]!.seconds;
    while (performance.now() < endsAt) await runRound(clients, onSlot);
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

async function measureOneByOne(loads: Load[], onSlot: OnSlot): Promise<Answers[]> {
  const answers: Answers[] = [];
  for (const [index, load] of loads.entries()) {
    const end = onSlot(index);
    const perSecond = await measureThroughput(load, load.requests, load.clients, load.seconds);
    answers.push({ count: perSecond * load.seconds, perSecond });
    await end();
  }
  return answers;
}

async function startPaused(load: Load, count: number): Promise<PausedWrk> {
  // it is stopped before; one second for what is late
  const client = await startWrk({ ...load, seconds: load.seconds * count + 1 });
  await wait(CONNECT_MS);
  client.child.kill('SIGSTOP');
  return { ...client, activeMs: CONNECT_MS };
}

/** Each client once, in another order each time: who comes after whom matters too. */
async function runRound(clients: PausedWrk[], onSlot: OnSlot): Promise<void> {
  const order = [...clients.keys()].toSorted(() => Math.random() - 0.5);
  for (const index of order) {
    const client = clients[index]!;
    const end = onSlot(index);
    const startedAt = performance.now();
    client.child.kill('SIGCONT');
    await wait(SLOT_MS);
    client.child.kill('SIGSTOP');
    client.activeMs += performance.now() - startedAt;
    await end();
  }
}
