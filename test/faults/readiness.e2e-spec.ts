import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aMarathon } from '../support/a-marathon.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { startProxy } from '../support/proxy.js';
import { untilSent } from '../support/sent-requests.js';
import { startService } from '../support/service.js';

type Proxy = Awaited<ReturnType<typeof startProxy>>;

const DEADLINE_MS = 1000;
const STOP_TIMEOUT_MS = 5000;

const closeConnections = (proxy: Proxy) => {
  for (const { toService } of proxy.links) toService.destroy();
};
const silenceConnections = (proxy: Proxy) => {
  for (const link of proxy.links) link.isSilent = true;
};
const hang = (proxy: Proxy) => proxy.breakBy({ onRequest: () => false });

let database: TestDatabase;
let proxy: Proxy;
let service: Awaited<ReturnType<typeof startService>>;

const startBehindProxy = async (deadlineMs: number) => {
  database = await createDatabase();
  proxy = await startProxy(database.url);
  service = await startService({ DATABASE_URL: proxy.url, DB_DEADLINE_MS: String(deadlineMs) });
};
afterEach(async () => {
  await service.stop();
  await proxy.close();
  await database.drop();
});

const statusOf = async (path: string) => (await fetch(`${service.url}${path}`)).status;
const untilReadyIs = async (status: number) => {
  while ((await statusOf('/health/ready')) !== status) await wait(20);
};

const silence = () => {
  silenceConnections(proxy);
  hang(proxy);
};

describe('an instance without requests', () => {
  beforeEach(async () => startBehindProxy(DEADLINE_MS));

  it.each([
    ['refused connections', () => proxy.refuse(true), () => proxy.refuse(false)],
    ['was silent', silence, () => proxy.breakBy({})],
  ])('22: becomes ready by itself after the database %s', async (_, fail, recover) => {
    fail();
    expect(await statusOf('/marathon/')).toBe(503);
    await untilReadyIs(503);
    recover();
    await untilReadyIs(200);
  });

  it('sends no probes while it is ready, so that the database can suspend', async () => {
    const said: string[] = [];
    proxy.breakBy({ onRequest: (_, bytes) => Boolean(said.push(bytes.toString('latin1'))) });
    do {
      // the remaining statements of the start
      said.length = 0;
      await wait(500);
    } while (said.length);
    await wait(1500);
    // only idle connections are closed
    expect(said.filter((bytes) => !bytes.startsWith('X'))).toEqual([]);
    expect(await statusOf('/health/ready')).toBe(200);
  });
});

const create = async () =>
  fetch(`${service.url}/marathon/`, {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(aMarathon()),
  });
/** Their statuses, when they are on their way. */
const sendCreates = async () => {
  const sent = untilSent(20);
  const answers = Promise.all(Array.from({ length: 20 }, create));
  await sent;
  return { statuses: answers.then((all) => [...new Set(all.map(({ status }) => status))]) };
};
const expectToEnd = async () => {
  const stoppedAt = Date.now();
  const { exitCode } = await service.stop();
  expect(exitCode).toBe(0);
  expect(Date.now() - stoppedAt).toBeLessThan(STOP_TIMEOUT_MS);
};

describe('a service at SIGTERM', () => {
  beforeEach(async () => startBehindProxy(60_000));

  it.each([
    ['its connections are silent', 201, [silenceConnections]],
    ['the database accepts connections and says nothing', 503, [silenceConnections, hang]],
    ['its connections were closed, and new ones are silent', 503, [closeConnections, hang]],
  ])(
    '19: answers requests in flight and ends within five seconds, although %s',
    async (_, status, faults) => {
      await (
        await sendCreates()
      ).statuses;
      for (const cause of faults) cause(proxy);
      const { statuses } = await sendCreates();
      await expectToEnd();
      expect(await statuses).toEqual([status]);
    },
  );

  it('answers requests that arrived before, also on connections that it had not accepted', async () => {
    process.kill(service.pid, 'SIGSTOP');
    const { statuses } = await sendCreates();
    const ended = expectToEnd();
    process.kill(service.pid, 'SIGCONT');
    await ended;
    expect(await statuses).toEqual([201]);
  });

  it('answers reads that wait for a replica, and ends within five seconds', async () => {
    await service.stop();
    const settings = { DATABASE_URL: database.url, DATABASE_REPLICA_URLS: proxy.url };
    service = await startService({ ...settings, DB_DEADLINE_MS: '60000' });
    await create();
    const read = async () => (await fetch(`${service.url}/marathon/1`)).status;
    while (!proxy.links.size) expect(await read()).toBe(200);
    silenceConnections(proxy);
    hang(proxy);
    const sent = untilSent(1);
    const status = read();
    await sent;
    await expectToEnd();
    expect(await status).toBe(503);
  });
});
