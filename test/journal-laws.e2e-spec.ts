import { randomInt } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe } from '@jest/globals';
import { childrenOf } from './support/child-processes.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { findFreePorts } from './support/free-ports.js';
import { holdLaws, writeFor, type Written } from './support/laws.js';
import { startService } from './support/service.js';

/** JOURNAL_SECONDS=60 runs the test for a minute. */
const SECONDS = Number(process.env.JOURNAL_SECONDS ?? 6);

describe.each([
  ['', async () => undefined],
  [', and connections are being killed', killConnections],
])('the journal, while 32 clients write at random through two instances%s', (_, cause) => {
  let database: TestDatabase;
  let written: Written;

  beforeAll(
    async () => {
      database = await createDatabase();
      const settings = { DATABASE_URL: database.url };
      const services = await Promise.all([startService(settings), startService(settings)]);
      const urls = services.map(({ url }) => url);
      written = await writeFor(SECONDS, urls, database, async (until) => cause(database, until));
    },
    SECONDS * 1000 + 60_000,
  );
  afterAll(async () => database.drop());

  holdLaws(() => written);
});

describe('the journal, while eight workers start at once and are killed at random', () => {
  let database: TestDatabase;
  let written: Written;

  beforeAll(
    async () => {
      database = await createDatabase();
      // with PORT=0 the service has another port after a moment without workers
      const [port] = await findFreePorts(1);
      const workers = { WORKERS: '8', DB_POOL_SIZE: '16', PORT: String(port) };
      const { pid, url } = await startService({ DATABASE_URL: database.url, ...workers });
      const kill = async (until: AbortSignal) => killWorkers(pid, until);
      written = await writeFor(SECONDS, [url], database, kill, isLostWithWorker);
    },
    SECONDS * 1000 + 120_000,
  );
  afterAll(async () => database.drop());

  holdLaws(() => written, isLostWithWorker);
});

describe('the journal, while eight instances start at once and are killed at random', () => {
  let database: TestDatabase;
  let written: Written;

  beforeAll(
    async () => {
      database = await createDatabase();
      const ports = await findFreePorts(8);
      const start = async (port: number) =>
        startService({ DATABASE_URL: database.url, PORT: String(port), DB_POOL_SIZE: '4' });
      const instances = await Promise.all(ports.map(start));
      const kill = async (until: AbortSignal) => {
        while (!until.aborted) {
          const index = randomInt(ports.length);
          await instances[index]!.stop('SIGKILL');
          instances[index] = await start(ports[index]!);
        }
      };
      const urls = instances.map(({ url }) => url);
      written = await writeFor(SECONDS, urls, database, kill, isLostWithWorker);
    },
    SECONDS * 1000 + 120_000,
  );
  afterAll(async () => database.drop());

  holdLaws(() => written, isLostWithWorker);
});

/** A request ends with the process that had it, before its answer or within it. */
function isLostWithWorker(failure: string): boolean {
  return failure === 'TypeError: fetch failed' || failure === 'TypeError: terminated';
}

async function killWorkers(primaryPid: number, until: AbortSignal): Promise<void> {
  while (!until.aborted) {
    await wait(500);
    const pids = await childrenOf(primaryPid);
    if (pids.length) process.kill(pids[randomInt(pids.length)]!, 'SIGKILL');
  }
}

async function killConnections({ query }: TestDatabase, until: AbortSignal): Promise<void> {
  while (!until.aborted) {
    await wait(200);
    await query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                 WHERE datname = current_database() AND pid <> pg_backend_pid() AND random() < 0.5`);
  }
}
