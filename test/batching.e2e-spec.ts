import { randomUUID } from 'node:crypto';
import { on } from 'node:events';
import { request } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';
import { untilBlocked, whileLocked } from './support/database.js';
import { startProxy, type Link } from './support/proxy.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };
/** No write is journaled while another client has it. */
const LOCK_HEAD = 'SELECT FROM journal_head FOR UPDATE';

describe('concurrent requests', () => {
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
  /** Runs `work` while two writes are in flight, so that the `count` writes of `work` form a batch. */
  const whileBlocked = async <T>(count: number, work: () => Promise<T>): Promise<T> => {
    return whileLocked(running.database, LOCK_HEAD, async (release) => {
      const waiting = [];
      for (let writes = 0; writes < 2; writes += 1) {
        const come = untilRequested(1);
        waiting.push(send('DELETE', '/marathon/2000000000'));
        await come;
      }
      const come = untilRequested(count);
      const working = work();
      await come;
      await release();
      await Promise.all(waiting);
      return await working;
    });
  };
  const untilRequested = async (count: number) => {
    const server = running.app.getHttpServer();
    for await (const _ of on(server, 'request')) if ((count -= 1) === 0) return;
  };
  /** Returns whether it was lost. */
  const loseFirstAnswerTo = (isIt: (bytes: Buffer) => boolean) => {
    const answering = new Set<Link>();
    let isLost = false;
    proxy.breakBy({
      onRequest: (link, bytes) => {
        if (isIt(bytes) && !isLost) answering.add(link);
        return true;
      },
      onAnswer: (link) => {
        if (!answering.delete(link)) return true;
        isLost = true;
        link.toService.resetAndDestroy();
        return false;
      },
    });
    return () => isLost;
  };
  /** The number of statements that the database executes during `work`. */
  const countQueries = async (work: () => Promise<unknown>) => {
    const before = questions;
    await work();
    return questions - before;
  };

  it.each([
    ['one marathon', async () => create()],
    ['the list', async () => '/marathon/'],
  ])('read %s in one query', async (_, findPath) => {
    const path = await findPath();
    // opens the connections first
    await times(200, async () => (await send('GET', path)).text());
    const queryCount = await countQueries(async () => {
      const answers = await times(200, async () => (await send('GET', path)).status);
      expect(new Set(answers)).toEqual(new Set([200]));
    });
    expect(queryCount).toBeLessThan(200);
  });

  it('are written in one statement, each with its own answer', async () => {
    const queryCount = await countQueries(async () => {
      const places = await times(200, async (index) => create({ name: `Marathon ${index}` }));
      expect(new Set(places).size).toBe(200);
      const names = await times(200, async (index) => {
        const { name } = (await (await send('GET', places[index]!)).json()) as { name: string };
        return name;
      });
      expect(names).toEqual(names.map((_, index) => `Marathon ${index}`));
    });
    expect(queryCount).toBeLessThan(200);
  });

  it('return the representation of their own record', async () => {
    const names = ['Athens', 'Berlin', 'Chicago', 'Dublin', 'Essen', 'Florence'];
    const records = await whileBlocked(names.length, async () =>
      times(names.length, async (index) => {
        const wish = { Prefer: 'return=representation' };
        return (await send('POST', '/marathon/', aMarathon({ name: names[index] }), wish)).json();
      }),
    );
    expect(records).toEqual(
      names.map((name) => ({ marathon_list: [expect.objectContaining({ name })] })),
    );
  });

  it('are pipelined on one connection', async () => {
    // in a slow process, the second write uses a connection of its own
    await until(shareOneConnection);
  });

  /** Whether two writes are sent on one connection, the second one before the response to the first. */
  const shareOneConnection = async () => {
    return whileLocked(running.database, LOCK_HEAD, async (release) => {
      let waiting: Link | undefined;
      const seen = new Promise<boolean>((resolve) => {
        proxy.breakBy({
          onRequest: (link, bytes) => {
            if (bytes.includes('First')) waiting = link;
            if (bytes.includes('Second')) resolve(link === waiting);
            return true;
          },
          onAnswer: (link) => {
            if (link === waiting) waiting = undefined;
            return true;
          },
        });
      });
      const first = create({ name: 'First' });
      await untilBlocked(running.database, 1);
      const second = create({ name: 'Second' });
      const isShared = await seen;
      await release();
      await Promise.all([first, second]);
      return isShared;
    });
  };

  it('fail one by one', async () => {
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
      expect(statuses).toEqual([201, 409, 422, 412, 200, 404, 201]);
    } finally {
      await running.database.query('ALTER TABLE marathon DROP CONSTRAINT somewhere');
    }
  });

  it('are stored once if the acknowledgement of a batch is lost, although some were executed before', async () => {
    // if they arrive one by one, they do not form a batch with the executed ones
    await until(async () => loseAnswer(randomUUID()));
  });

  /** Whether the lost response was that of the batch without the executed writes. */
  const loseAnswer = async (key: string) => {
    const places = Array.from({ length: 8 }, (_, index) => index + 10);
    const again = async (place: number) =>
      create({ name: 'Done before' }, { 'Idempotency-Key': `"${key}/${place}"` });
    const done = await Promise.all(places.map(again));
    const names = places.map((place) => `Marathon ${place} of ${key}`);
    let isRecalled = false;
    const isLost = loseFirstAnswerTo((bytes) => {
      const areTheirs = names.filter((name) => bytes.includes(name)).length > 1;
      const isNext = isRecalled && areTheirs;
      isRecalled ||= bytes.includes('JOIN journal_request') && bytes.includes(key);
      return isNext;
    });
    const results = await whileBlocked(2 * names.length, async () =>
      Promise.all(names.flatMap((name, index) => [create({ name }), again(places[index]!)])),
    );
    expect(results.filter((_, index) => index % 2)).toEqual(done);
    const stored = await running.database.query(
      `SELECT id, name FROM marathon WHERE name LIKE '%${key}' ORDER BY name`,
    );
    const created = results.filter((_, index) => !(index % 2));
    expect(stored).toEqual(names.map((name, index) => ({ id: idOf(created[index]!), name })));
    return isLost();
  };

  it('are stored once if they were executed one by one and an acknowledgement was lost', async () => {
    await running.database.query(
      `ALTER TABLE marathon ADD CONSTRAINT somewhere CHECK (city <> 'Nowhere')`,
    );
    try {
      // if they arrive one by one, they do not form a batch
      await until(async () => loseAnswerAlone(randomUUID()));
    } finally {
      await running.database.query('ALTER TABLE marathon DROP CONSTRAINT somewhere');
    }
  });

  /** The batch fails, then its first write; the second is stored, and its response is lost. */
  const loseAnswerAlone = async (key: string) => {
    const writes = [
      { name: `First of ${key}`, city: 'Nowhere' },
      { name: `Second of ${key}`, city: 'Somewhere' },
    ];
    let areTogether = false;
    const isLost = loseFirstAnswerTo((bytes) => {
      const [isFirst, isSecond] = writes.map(({ name }) => bytes.includes(name));
      const isNext = areTogether && isSecond! && !isFirst;
      areTogether ||= isFirst! && isSecond!;
      return isNext;
    });
    const answers = await whileBlocked(2, async () =>
      times(2, async (place) => send('POST', '/marathon/', aMarathon(writes[place]))),
    );
    expect(answers.map(({ status }) => status)).toEqual([409, 201]);
    const stored = await running.database.query(
      `SELECT name FROM marathon WHERE name LIKE '%${key}'`,
    );
    expect(stored).toEqual([{ name: writes[1]!.name }]);
    return isLost();
  };

  it('update one marathon one after another, without lost updates', async () => {
    const place = await create();
    const answers = await times(50, async (index) =>
      send('PATCH', place, { inception_year: 1900 + index }),
    );
    const tags = answers.map(({ headers }) => Number(headers.get('etag')?.replaceAll('"', '')));
    expect(tags.toSorted((a, b) => a - b)).toEqual(tags.map((_, index) => index + 2));
  });

  it('read all writes acknowledged before them, under load', async () => {
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

  it('succeed after a table changed under a prepared statement', async () => {
    const place = await create();
    await times(20, async () => send('GET', place));
    await running.database.query('ALTER TABLE marathon ALTER COLUMN name TYPE text');
    const answers = await times(20, async () => (await send('GET', place)).status);
    expect(new Set(answers)).toEqual(new Set([200]));
  });

  it('use the index of a table that has grown', async () => {
    const path = await create();
    const countScans = async (by: 'seq_scan' | 'idx_scan') => {
      const sql = `SELECT ${by} FROM pg_stat_user_tables WHERE relname = 'marathon'`;
      return Number((await running.database.query(sql))[0]![by]);
    };
    const untilScanned = async (by: 'seq_scan' | 'idx_scan') => {
      const before = await countScans(by);
      while ((await countScans(by)) === before) await send('GET', path);
    };
    // autovacuum would discard old plans at some time
    await running.database.query('ALTER TABLE marathon SET (autovacuum_enabled = false)');
    // FULL, since pages with deleted rows would make the table look large
    await running.database.query('VACUUM (FULL, ANALYZE) marathon');
    await untilScanned('seq_scan');
    await running.database.query(`
      INSERT INTO marathon (name, city, inception_year)
      SELECT 'Marathon ' || n, 'City', 1900 FROM generate_series(1, 20000) AS n`);
    await untilScanned('idx_scan');
  });

  it('are answered although another client of the same request disconnected', async () => {
    await whileLocked(running.database, 'LOCK TABLE marathon', async (release) => {
      const leaving = request(`${url}/marathon/`).on('error', () => undefined);
      leaving.end();
      const staying = send('GET', '/marathon/');
      await untilBlocked(running.database, 1);
      leaving.destroy();
      await release();
      expect((await staying).status).toBe(200);
    });
  });

  it('are not delayed by requests on a silent connection', async () => {
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
    expect((await send('GET', path)).status).toBe(200);
    // the service finds silent connections within half a second
    expect(isAnswered).toBe(false);
    for (const { toService } of silent) toService.resetAndDestroy();
    const statuses = (await Promise.all(stuck)).map(({ status }) => status);
    expect(statuses).toEqual([200, 200]);
  });
});

/** Repeats work that depends on timing, until it succeeds or the test times out. */
async function until(happens: () => Promise<boolean>): Promise<void> {
  while (!(await happens()));
}

async function times<T>(count: number, work: (index: number) => Promise<T>): Promise<T[]> {
  return Promise.all(Array.from({ length: count }, async (_, index) => work(index)));
}

function idOf(place: string): number {
  return Number(place.split('/').at(-1));
}
