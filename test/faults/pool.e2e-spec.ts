import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import type { Pool, PoolClient } from 'pg';
import { DataSource } from 'typeorm';
import { PreparedQuery } from '../../src/pool/prepared-query.js';
import { aMarathon } from '../support/a-marathon.js';
import { startApp, type RunningApp } from '../support/app.js';
import { startProxy, type Link } from '../support/proxy.js';

const [RECYCLE_SECONDS, DEADLINE_MS, POOL_SIZE, LONGEST_QUEUE] = [1, 6000, 2, 200];

describe('the pool', () => {
  let running: RunningApp;
  let proxy: Awaited<ReturnType<typeof startProxy>>;

  beforeAll(async () => {
    const settings = {
      DB_POOL_SIZE: String(POOL_SIZE),
      DB_RECYCLE_SECONDS: String(RECYCLE_SECONDS),
      DB_DEADLINE_MS: String(DEADLINE_MS),
    };
    running = await startApp(settings, async (url) => {
      proxy = await startProxy(url);
      return proxy.url;
    });
  });
  afterAll(async () => {
    await running.close();
    await proxy.close();
  });

  const pool = () => {
    const { driver } = running.app.get(DataSource);
    return (driver as unknown as { master: Pool }).master;
  };
  const borrow = async <T>(work: (client: PoolClient) => Promise<T>) => {
    const client = await pool().connect();
    try {
      return await work(client);
    } finally {
      client.release();
    }
  };
  const pid = async () =>
    borrow(async (client) => (await client.query('SELECT pg_backend_pid() AS pid')).rows[0].pid);

  /** Whether a connection whose statement failed is checked out next. */
  const isUsedAfterError = async () => {
    const failing = await pool().connect();
    const { rows } = await failing.query('SELECT pg_backend_pid() AS pid');
    await failing.query('SELECT 1/0').catch(() => undefined);
    failing.release();
    return (await pid()) === rows[0].pid;
  };

  it('checks out no connection as old as DB_RECYCLE_SECONDS', async () => {
    const before = await pid();
    await borrow(async () => wait(RECYCLE_SECONDS * 1000));
    expect(await pid()).not.toBe(before);
  });

  it('recycles a connection that pipelined statements share without a pause', async () => {
    const { Pipeline } = await import('../../src/database/pipeline.js');
    const pipeline = new Pipeline(running.app.get(DataSource));
    const { deadlineIn } = await import('../../src/pool/deadline.js');
    const deadline = deadlineIn(DEADLINE_MS);
    const over = AbortSignal.timeout(DEADLINE_MS);
    const pids = new Set<unknown>();
    const ask = async () => {
      while (pids.size < 2 && !over.aborted) {
        const sql = 'SELECT pg_backend_pid() AS pid, pg_sleep($1)';
        const [row] = await pipeline.query<{ pid: number }>(deadline, sql, [0.01]);
        pids.add(row!.pid);
      }
    };
    await Promise.all([ask(), ask()]);
    expect(pids.size).toBe(2);
  });

  it('does not interrupt a slow statement, also after the server was unreachable', async () => {
    const stuck = borrow(async (client) => {
      proxy.breakBy({ onRequest: () => false });
      return client.query('SELECT 1');
    });
    await expect(stuck).rejects.toThrow(/no response|deadline/);
    proxy.breakBy({});
    // longer than the time after which statements of an unreachable server are given up
    await wait(5000);
    const slowly = async () => borrow(async (client) => client.query('SELECT pg_sleep(2.5)'));
    expect((await slowly()).rowCount).toBe(1);
  });

  it('14: discards connections that are in a transaction or busy', async () => {
    const leaking = await pool().connect();
    await leaking.query('BEGIN');
    leaking.release();
    const busy = await pool().connect();
    const pending = busy.query('SELECT pg_sleep(60)').catch((error: Error) => error.message);
    busy.release();
    expect(await pending).toContain('terminated');
    await borrow(async (next) => {
      expect(next).not.toBe(leaking);
      expect(next).not.toBe(busy);
    });
  });

  it('reuses a connection whose statement failed, even if it is released immediately', async () => {
    // the connection may be recycled at that moment
    while (!(await isUsedAfterError()));
  });

  it('14: fails a transaction whose COMMIT was executed as ROLLBACK', async () => {
    const work = running.app.get(DataSource).transaction(async ({ queryRunner }) => {
      await queryRunner!.query('SELECT 1/0').catch(() => undefined);
    });
    await expect(work).rejects.toThrow('Nothing was committed');
  });

  it('16: limits its queue; further requests get 503 with Retry-After immediately', async () => {
    await running.http.post('/marathon/').send(aMarathon()).expect(201);
    const goOn = () => {
      proxy.breakBy({});
      for (const { toDatabase } of proxy.links) toDatabase.resume();
    };
    proxy.breakBy({ onRequest: holdAnswers });
    const more = 50;
    const statuses: number[] = [];
    const all = Array.from({ length: POOL_SIZE + LONGEST_QUEUE + more }, async () => {
      const { status, headers } = await running.http.get('/marathon/1/history');
      if (status === 503) expect(Number(headers['retry-after'])).toBeGreaterThan(0);
      statuses.push(status);
      if (statuses.length === more) goOn();
    });
    await Promise.all(all);
    expect(statuses.slice(0, more)).toEqual(Array.from({ length: more }, () => 503));
    expect(new Set(statuses.slice(more))).toEqual(new Set([200]));
  });

  describe('uses undocumented parts of the installed pg:', () => {
    interface Internals {
      connection: import('node:events').EventEmitter & { stream: import('node:net').Socket };
      readyForQuery: boolean;
      getTransactionStatus: () => string;
      settle: () => Promise<void>;
    }
    const borrowInternals = async (work: (client: Internals & { query: Function }) => unknown) =>
      borrow(async (client) => work(client as never));

    it('whether a query is running', async () => {
      await borrowInternals(async (client) => {
        expect(client.readyForQuery).toBe(true);
        const pending = client.query('SELECT 1');
        expect(client.readyForQuery).toBe(false);
        await pending;
        expect(client.readyForQuery).toBe(true);
      });
    });

    it('whether a transaction is open', async () => {
      await borrowInternals(async (client) => {
        expect(client.getTransactionStatus()).toBe('I');
        await client.query('BEGIN');
        expect(client.getTransactionStatus()).toBe('T');
        await client.query('SELECT 1/0').catch(() => undefined);
        await client.settle();
        expect(client.getTransactionStatus()).toBe('E');
        await client.query('ROLLBACK');
        expect(client.getTransactionStatus()).toBe('I');
      });
    });

    it('the socket, whose end rejects pending queries', async () => {
      await borrowInternals(async (client) => {
        const { stream } = client.connection;
        const pending = client.query('SELECT pg_sleep(60)').catch((error: Error) => error.message);
        stream.destroy(new Error('Enough.'));
        expect(await pending).toMatch(/Enough|terminated/);
      });
    });

    it('the messages of a statement, whose columns a connection asks for once', async () => {
      const text =
        'SELECT id, $1::text[] AS texts, NULL AS nothing FROM unnest($2::bigint[]) AS id';
      await borrowInternals(async (client) => {
        let described = 0;
        const count = () => (described += 1);
        client.connection.on('rowDescription', count);
        const run = async (id: number) =>
          PreparedQuery.run(client as never, 'texts', text, [['a', '"b"'], [id]]);
        expect(await run(1)).toEqual([{ id: 1, texts: ['a', '"b"'], nothing: null }]);
        expect(await run(2)).toEqual([{ id: 2, texts: ['a', '"b"'], nothing: null }]);
        client.connection.off('rowDescription', count);
        expect(described).toBe(1);
      });
    });

    it('the error of a statement, after which the connection executes others', async () => {
      await borrowInternals(async (client) => {
        const divide = async (divisor: number) =>
          PreparedQuery.run(client as never, 'divide', 'SELECT 4 / $1::integer AS half', [divisor]);
        await expect(divide(0)).rejects.toMatchObject({ code: '22012' });
        expect(await divide(2)).toEqual([{ half: 2 }]);
        await expect(divide(0)).rejects.toMatchObject({ code: '22012' });
        expect(await divide(2)).toEqual([{ half: 2 }]);
      });
    });
  });

  it('waits for a connection until the deadline, if the server accepts it and stays silent', async () => {
    const { deadlineIn } = await import('../../src/pool/deadline.js');
    const { poolOf } = await import('../../src/pool/recycling-pool.js');
    for (const { toService } of proxy.links) toService.destroy();
    while (pool().totalCount) await wait(10);
    proxy.breakBy({ onAnswer: () => false });
    try {
      const deadline = deadlineIn(500);
      const checkedOut = poolOf(running.app.get(DataSource)).checkOut(deadline);
      await expect(checkedOut).rejects.toThrow('deadline');
      expect(Date.now() - deadline.endsAt).toBeLessThan(250);
    } finally {
      proxy.breakBy({});
    }
    await running.http.get('/marathon/').expect(200);
  });
});

function holdAnswers({ toDatabase }: Link): boolean {
  toDatabase.pause();
  return true;
}
