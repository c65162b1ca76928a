import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import pg from 'pg';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';
import { untilBlocked } from './support/database.js';
import { startProxy, type Link } from './support/proxy.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };

describe('requests that are sent at once', () => {
  let running: RunningApp;
  let proxy: Awaited<ReturnType<typeof startProxy>>;
  let url: string;
  let questions = 0;
  beforeAll(async () => {
    running = await startApp({}, async (database) => {
      proxy = await startProxy(database);
      return proxy.url;
    });
    url = await running.app.getUrl();
  });
  beforeEach(async () => {
    proxy.breakBy({ onRequest: () => Boolean((questions += 1)) });
    await running.database.query('DELETE FROM marathon');
  });
  afterAll(async () => {
    await running.close();
    await proxy.close();
  });

  const send = async (method: string, path: string, body?: object, headers = {}) =>
    fetch(`${url}${path}`, {
      method,
      headers: { ...JSON_TYPE, ...headers },
      body: body && JSON.stringify(body),
    });
  const create = async (details = {}, headers = {}) => {
    const answer = await send('POST', '/marathon/', aMarathon(details), headers);
    expect(answer.status).toBe(201);
    return String(answer.headers.get('location'));
  };
  /** One write waits at the database until those of `work` have gathered behind it. */
  const whileWritersWait = async <T>(work: () => Promise<T>): Promise<T> => {
    const blocker = new pg.Client(running.database.url);
    await blocker.connect();
    try {
      await blocker.query('BEGIN; SELECT FROM journal_head FOR UPDATE');
      const waiting = send('DELETE', '/marathon/2000000000');
      await untilBlocked(running.database, 1);
      const working = work();
      await untilBlocked(running.database, 2);
      await blocker.query('COMMIT');
      const [result] = await Promise.all([working, waiting]);
      return result;
    } finally {
      await blocker.end();
    }
  };
  /** What the database is asked while `work` is done. */
  const countQuestions = async (work: () => Promise<unknown>) => {
    const before = questions;
    await work();
    return questions - before;
  };

  it.each([
    ['one marathon', async () => create()],
    ['the list', async () => '/marathon/'],
  ])('read %s together', async (_, findPath) => {
    const path = await findPath();
    // so that they need not connect first
    await times(200, async () => (await send('GET', path)).text());
    const asked = await countQuestions(async () => {
      const answers = await times(200, async () => (await send('GET', path)).status);
      expect(new Set(answers)).toEqual(new Set([200]));
    });
    expect(asked).toBeLessThan(200);
  });

  it('write together, and everybody is told of their own', async () => {
    const asked = await countQuestions(async () => {
      const places = await times(200, async (index) => create({ name: `Marathon ${index}` }));
      expect(new Set(places).size).toBe(200);
      const names = await times(200, async (index) => {
        const { name } = (await (await send('GET', places[index]!)).json()) as { name: string };
        return name;
      });
      expect(names).toEqual(names.map((_, index) => `Marathon ${index}`));
    });
    expect(asked).toBeLessThan(200);
  });

  it('show each what it stored', async () => {
    const names = ['Athens', 'Berlin', 'Chicago'];
    const shown = await whileWritersWait(async () =>
      times(names.length, async (index) => {
        const wish = { Prefer: 'return=representation' };
        return (await send('POST', '/marathon/', aMarathon({ name: names[index] }), wish)).json();
      }),
    );
    expect(shown).toEqual(
      names.map((name) => ({ marathon_list: [expect.objectContaining({ name })] })),
    );
  });

  it('fail each for itself', async () => {
    const [first, second] = [await create(), await create()];
    const key = { 'Idempotency-Key': '"used"' };
    await send('POST', '/marathon/', aMarathon(), key);
    await running.database.query(
      `ALTER TABLE marathon ADD CONSTRAINT somewhere CHECK (city <> 'Nowhere')`,
    );
    try {
      const answers = await Promise.all([
        send('POST', '/marathon/', aMarathon()),
        send('POST', '/marathon/', aMarathon({ city: 'Nowhere' })),
        send('POST', '/marathon/', aMarathon({ city: 'Berlin' }), key),
        send('PATCH', first, { city: 'Hopkinton' }, { 'If-Match': '"7"' }),
        send('PATCH', second, { city: 'Hopkinton' }, { 'If-Match': '"1"' }),
        send('DELETE', '/marathon/2000000000'),
        send('POST', '/marathon/', aMarathon()),
      ]);
      const statuses = answers.map(({ status }) => status);
      expect(statuses).toEqual([201, 500, 422, 412, 200, 404, 201]);
    } finally {
      await running.database.query('ALTER TABLE marathon DROP CONSTRAINT somewhere');
    }
  });

  it('are stored once where their answer is lost, though one of them had been done before', async () => {
    const key = { 'Idempotency-Key': '"done before"' };
    const done = await create({ name: 'Done before' }, key);
    const names = ['First', 'Second'];
    const lost = new Set<Link>();
    let isCut = false;
    proxy.breakBy({
      onRequest: (link, bytes) => {
        const isTheirs = names.every((name) => bytes.includes(name));
        if (isTheirs && !bytes.includes('done before') && !isCut) lost.add(link);
        return true;
      },
      onAnswer: (link) => {
        if (!lost.delete(link)) return true;
        isCut = true;
        link.toService.resetAndDestroy();
        return false;
      },
    });
    const places = await whileWritersWait(async () =>
      Promise.all([
        create({ name: 'First' }),
        create({ name: 'Done before' }, key),
        create({ name: 'Second' }),
      ]),
    );
    expect(isCut).toBe(true);
    expect(places[1]).toBe(done);
    const stored = await running.database.query('SELECT id, name FROM marathon ORDER BY name');
    const expected = names.map((name, index) => ({ id: idOf(places[2 * index]!), name }));
    expect(stored).toEqual([{ id: idOf(done), name: 'Done before' }, ...expected]);
  });

  it('change one marathon one after the other, and lose nothing', async () => {
    const place = await create();
    const answers = await times(50, async (index) =>
      send('PATCH', place, { inception_year: 1900 + index }),
    );
    const tags = answers.map(({ headers }) => Number(headers.get('etag')?.replaceAll('"', '')));
    expect(tags.toSorted((a, b) => a - b)).toEqual(tags.map((_, index) => index + 2));
  });

  it('read all that was written before they asked, under load', async () => {
    const seen = await times(32, async (client) => {
      for (let round = 0; round < 15; round += 1) {
        const name = `Client ${client}, round ${round}`;
        const place = await create({ name });
        expect(await (await send('GET', place)).json()).toMatchObject({ name });
        await send('PATCH', place, { city: name });
        expect(await (await send('GET', place)).json()).toMatchObject({ city: name });
        expect(await (await send('GET', '/marathon/')).text()).toContain(`"city":"${name}"`);
        if (round % 3) continue;
        await send('DELETE', place);
        expect((await send('GET', place)).status).toBe(404);
        expect(await (await send('GET', '/marathon/')).text()).not.toContain(name);
      }
      return client;
    });
    expect(seen).toHaveLength(32);
  });

  it('go on where a statement was prepared before its table changed', async () => {
    const place = await create();
    await times(20, async () => send('GET', place));
    await running.database.query('ALTER TABLE marathon ALTER COLUMN name TYPE text');
    const answers = await times(20, async () => (await send('GET', place)).status);
    expect(new Set(answers)).toEqual(new Set([200]));
  });

  it('read by the index what has grown since it was small', async () => {
    const path = await create();
    const countScans = async (by: 'seq_scan' | 'idx_scan') => {
      const sql = `SELECT ${by} FROM pg_stat_user_tables WHERE relname = 'marathon'`;
      return Number((await running.database.query(sql))[0]![by]);
    };
    const untilScanned = async (by: 'seq_scan' | 'idx_scan') => {
      const before = await countScans(by);
      while ((await countScans(by)) === before) await send('GET', path);
    };
    // autovacuum would have old plans forgotten, some time
    await running.database.query('ALTER TABLE marathon SET (autovacuum_enabled = false)');
    await running.database.query('VACUUM ANALYZE marathon');
    await untilScanned('seq_scan');
    await running.database.query(`
      INSERT INTO marathon (name, city, inception_year)
      SELECT 'Marathon ' || n, 'City', 1900 FROM generate_series(1, 20000) AS n`);
    await untilScanned('idx_scan');
  }, 10_000);

  it('are answered though one who asked the same has left', async () => {
    const blocker = new pg.Client(running.database.url);
    await blocker.connect();
    try {
      await blocker.query('BEGIN; LOCK TABLE marathon');
      const leaving = request(`${url}/marathon/`).on('error', () => undefined);
      leaving.end();
      const staying = send('GET', '/marathon/');
      await untilBlocked(running.database, 1);
      leaving.destroy();
      await blocker.query('COMMIT');
      expect((await staying).status).toBe(200);
    } finally {
      await blocker.end();
    }
  });

  it('do not wait for those whose connection says nothing any more', async () => {
    const path = await create();
    await times(20, async () => send('GET', path));
    const silent = new Set<Link>();
    let isAnswered = false;
    const stuck = [];
    for (const count of [1, 2]) {
      const swallowed = new Promise<void>((resolve) => {
        proxy.breakBy({
          onRequest: (link) => {
            if (silent.size < count) silent.add(link);
            resolve();
            return !silent.has(link);
          },
        });
      });
      stuck.push(send('GET', path).finally(() => (isAnswered = true)));
      await swallowed;
    }
    for (let round = 0; round < 10; round += 1) {
      expect((await send('GET', path)).status).toBe(200);
    }
    expect(isAnswered).toBe(false);
    for (const { toService } of silent) toService.resetAndDestroy();
    const statuses = (await Promise.all(stuck)).map(({ status }) => status);
    expect(statuses).toEqual([200, 200]);
  });
});

async function times<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, async (_, index) => work(index)));
}

function idOf(place: string): number {
  return Number(place.split('/').at(-1));
}
