import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { Clients } from '../support/clients.js';
import { createDatabase, type TestDatabase } from '../support/database.js';
import { startProxy, type Link } from '../support/proxy.js';
import { random } from '../support/seed.js';
import { startService } from '../support/service.js';

const [CLIENTS, IDLE_LIMIT_MS] = [50, 2000];

describe('no request fails when an idle connection', () => {
  let database: TestDatabase;
  let proxy: Awaited<ReturnType<typeof startProxy>>;

  beforeAll(async () => {
    database = await createDatabase();
    proxy = await startProxy(database.url);
  });
  afterEach(() => proxy.breakBy({}));
  afterAll(async () => {
    await proxy.close();
    await database.drop();
  });

  const serve = async (settings: Record<string, string> = {}) => {
    const service = await startService({ DATABASE_URL: proxy.url, ...settings });
    await database.query('DELETE FROM marathon');
    return { ...service, clients: new Clients(service.url) };
  };
  const storedNames = async () => {
    const rows = await database.query('SELECT name FROM marathon');
    return rows.map(({ name }) => String(name));
  };

  it.each([
    ['recycled before', '1'],
    ['never recycled', '3600'],
  ])('1: is closed by the server after two seconds, %s', async (_, DB_RECYCLE_SECONDS) => {
    const name = new URL(proxy.url).pathname.slice(1);
    await database.query(`ALTER DATABASE ${name} SET idle_session_timeout = ${IDLE_LIMIT_MS}`);
    try {
      const { clients } = await serve({ DB_RECYCLE_SECONDS });
      for (let burst = 0; burst < 10; burst += 1) {
        await clients.use({ clients: CLIENTS, rounds: 1 });
        await wait(IDLE_LIMIT_MS * (0.97 + 0.05 * random()));
      }
      await clients.expectNothingLost(await storedNames());
    } finally {
      await database.query(`ALTER DATABASE ${name} RESET idle_session_timeout`);
    }
  });

  it('2: was dropped silently', async () => {
    const { clients } = await serve();
    for (let burst = 0; burst < 10; burst += 1) {
      await clients.use({ clients: CLIENTS, rounds: 1 });
      const dropped = new Set<Link>(proxy.links);
      proxy.breakBy({ onRequest: (link) => !dropped.has(link) });
      await wait(600);
    }
    await clients.expectNothingLost(await storedNames(), { slowestMs: 1000 });
  });

  it('3: is reset at its next use', async () => {
    const { clients } = await serve();
    let resets = 0;
    proxy.breakBy({
      onRequest: ({ toService, lastUsedAt }) => {
        if (Date.now() - lastUsedAt < 50) return true;
        resets += 1;
        toService.resetAndDestroy();
        return false;
      },
    });
    await clients.use({ clients: CLIENTS, rounds: 10, pauseMs: 1000 });
    expect(resets).toBeGreaterThan(20);
    await clients.expectNothingLost(await storedNames());
  });
});
