import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import type { Pool } from 'pg';
import { DataSource } from 'typeorm';
import { aMarathon } from '../support/a-marathon.js';
import { startApp, type RunningApp } from '../support/app.js';
import { Clients } from '../support/outcome.js';
import { startProxy, type Link } from '../support/proxy.js';

const [RECYCLE_SECONDS, DEADLINE_MS] = [1, 6000];
const CLIENTS = 20;

describe('no request dies with a connection', () => {
  let running: RunningApp;
  let proxy: Awaited<ReturnType<typeof startProxy>>;

  beforeAll(async () => {
    const settings = {
      DB_RECYCLE_SECONDS: String(RECYCLE_SECONDS),
      DB_DEADLINE_MS: String(DEADLINE_MS),
    };
    running = await startApp(settings, async (url) => {
      proxy = await startProxy(url);
      return proxy.url;
    });
  });
  beforeEach(async () => void (await running.database.query('TRUNCATE marathon')));
  afterEach(() => {
    proxy.refuse(false);
    proxy.breakBy({});
  });
  afterAll(async () => {
    await running.close();
    await proxy.close();
  });

  const post = async (name: string) => running.http.post('/marathon/').send(aMarathon({ name }));
  const list = async () => running.http.get('/marathon/');
  /** Writes and reads from many clients, `rounds` of each; nothing may fail, be lost or doubled. */
  const useIt = async (rounds: number, pauseMs = 0): Promise<void> => {
    const clients = new Clients();
    const use = async (client: number) => {
      for (let round = 0; round < rounds; round += 1) {
        await clients.writeAndRead(
          `${client}/${round}`,
          async (name) => statusOf(post(name)),
          async () => statusOf(list()),
        );
        if (pauseMs) await wait(pauseMs * Math.random());
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, async (_, client) => use(client)));
    await clients.mustHaveLostNothing(await storedNames());
  };
  const storedNames = async () => {
    const rows = await running.database.query('SELECT name FROM marathon');
    return rows.map(({ name }) => String(name));
  };
  const pool = () => {
    const { driver } = running.app.get(DataSource);
    return (driver as unknown as { master: Pool }).master;
  };
  const pid = async () => {
    const client = await pool().connect();
    try {
      return (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid as number;
    } finally {
      client.release();
    }
  };

  it('when the server closes connections that rest', async () => {
    const close = setInterval(() => {
      for (const { toService, lastUsedAt } of proxy.links) {
        if (Date.now() - lastUsedAt > 100) toService.end();
      }
    }, 10);
    try {
      await useIt(10, 200);
    } finally {
      clearInterval(close);
    }
  });

  it('when connections that rested are dropped in silence', async () => {
    await useIt(1);
    const dropped = new Set<Link>(proxy.links);
    proxy.breakBy({ onRequest: (link) => !dropped.has(link) });
    await wait(600);
    await running.database.query('TRUNCATE marathon');
    await useIt(2);
  });

  it('when connections are reset as soon as they are used again', async () => {
    proxy.breakBy({
      onRequest: ({ toService, lastUsedAt }) => {
        if (Date.now() - lastUsedAt < 100) return true;
        toService.resetAndDestroy();
        return false;
      },
    });
    await useIt(6, 300);
  });

  it('when the server ends connections while they work', async () => {
    const killing = new AbortController();
    const killed = kill(running, killing.signal);
    try {
      await useIt(30);
    } finally {
      killing.abort();
      await killed;
    }
  });

  it('when nobody answers for a while', async () => {
    proxy.refuse(true);
    const used = useIt(2);
    await wait(1500);
    proxy.refuse(false);
    await used;
  });

  it('when an answer never comes: a read is asked again elsewhere', async () => {
    await post('Boston');
    let swallowed = 0;
    const silent = new Set<Link>(proxy.links);
    proxy.breakBy({ onAnswer: (link) => !silent.has(link) || (swallowed += 1) < 0 });
    const answers = await Promise.all(Array.from({ length: CLIENTS }, list));
    expect(answers.map(({ status }) => status)).toEqual(answers.map(() => 200));
    expect(swallowed).toBeGreaterThan(0);
    for (const link of proxy.links) expect(silent.has(link)).toBe(false);
  });

  it.each([
    ['on its way to the server', 'onRequest'],
    ['on its way back, when it was done', 'onAnswer'],
  ] as const)('when a write is cut %s: it is done, and done once', async (_, direction) => {
    let cuts = 0;
    const writing = new Set<Link>();
    const cut = ({ toService }: Link) => {
      cuts += 1;
      toService.resetAndDestroy();
      return false;
    };
    proxy.breakBy({
      onRequest: (link, bytes) => {
        const isWrite = bytes.includes('journal_head FOR UPDATE') && Math.random() < 0.5;
        if (!isWrite) return true;
        if (direction === 'onRequest') return cut(link);
        writing.add(link);
        return true;
      },
      onAnswer: (link) => (writing.delete(link) ? cut(link) : true),
    });
    await useIt(20);
    expect(cuts).toBeGreaterThan(100);
  });

  it('when an import is cut at its COMMIT: it is done, and done once', async () => {
    let cuts = 0;
    const committing = new Set<Link>();
    proxy.breakBy({
      onRequest: (link, bytes) => {
        if (bytes.includes('COMMIT') && cuts < 3) committing.add(link);
        return true;
      },
      onAnswer: (link) => {
        if (!committing.delete(link)) return true;
        cuts += 1;
        link.toService.resetAndDestroy();
        return false;
      },
    });
    const csv = running.http.post('/marathon/').set('Content-Type', 'text/csv');
    const { body } = await csv.send('name\nBoston\nBerlin\n').expect(201);
    expect(body).toEqual({ inserted: 2, updated: 0, skipped: 0 });
    expect(cuts).toBeGreaterThan(0);
    expect(await storedNames()).toEqual(['Boston', 'Berlin']);
  });

  it('but is told 503 and when to come again, where the database stays away past the deadline', async () => {
    proxy.refuse(true);
    const answers = await Promise.all([list(), post('Never'), running.http.get('/marathon/1')]);
    for (const { status, headers, body } of answers) {
      expect(status).toBe(503);
      expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      expect(body.type).toBe('/problems/database-unavailable');
    }
    proxy.refuse(false);
    expect(await storedNames()).toEqual([]);
    expect((await list()).status).toBe(200);
  });

  describe('a connection', () => {
    it('is not handed out any more once it is as old as DB_RECYCLE_SECONDS', async () => {
      const before = await pid();
      const client = await pool().connect();
      await wait(RECYCLE_SECONDS * 1000);
      client.release();
      expect(await pid()).not.toBe(before);
    });

    it('is not taken back in a transaction, or with a query under way', async () => {
      const leaking = await pool().connect();
      await leaking.query('BEGIN');
      leaking.release();
      const busy = await pool().connect();
      const asked = busy.query('SELECT pg_sleep(60)').catch((error: Error) => error.message);
      busy.release();
      expect(await asked).toContain('terminated');
      const next = await pool().connect();
      expect(next).not.toBe(leaking);
      expect(next).not.toBe(busy);
      next.release();
    });

    it('that answers COMMIT by ROLLBACK makes its transaction fail', async () => {
      const work = running.app.get(DataSource).transaction(async ({ queryRunner }) => {
        await queryRunner!.query('SELECT 1/0').catch(() => undefined);
      });
      await expect(work).rejects.toThrow('Nothing was committed');
    });
  });
});

/** Ends all of the service's connections, again and again. */
async function kill({ database }: RunningApp, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await database.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                          WHERE datname = current_database() AND pid <> pg_backend_pid()`);
    await wait(50);
  }
}

async function statusOf(answer: PromiseLike<{ status: number }>): Promise<number> {
  return (await answer).status;
}
