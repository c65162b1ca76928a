import { afterAll, beforeAll, describe, expect, it, jest } from '@jest/globals';
import pg from 'pg';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';
import { startProxy } from './support/proxy.js';

/** As on a server that is only compatible with PostgreSQL. */
const WITHOUT_SNAPSHOTS = `
  CREATE FUNCTION public.pg_current_snapshot() RETURNS text LANGUAGE plpgsql AS
    $$ BEGIN RAISE 'there are no snapshots here' USING ERRCODE = 'undefined_function'; END $$;
  DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET search_path = public, pg_catalog', current_database()); END $$`;

interface Answer {
  etag: string | null;
  text: string;
}

describe('a cached list', () => {
  let running: RunningApp;
  let proxy: Awaited<ReturnType<typeof startProxy>>;
  let url: string;
  let readings = 0;
  beforeAll(async () => {
    running = await startApp({}, async (database) => {
      proxy = await startProxy(database);
      return proxy.url;
    });
    url = await running.app.getUrl();
    proxy.breakBy({
      onRequest: (link, bytes) => {
        if (bytes.includes('COPY')) readings += 1;
        return true;
      },
    });
  });
  afterAll(async () => {
    await running.close();
    await proxy.close();
  });

  const list = async (question = ''): Promise<Answer> => {
    const answer = await fetch(`${url}/marathon/${question}`);
    expect(answer.status).toBe(200);
    return { etag: answer.headers.get('etag'), text: await answer.text() };
  };
  const create = async (details = {}) => {
    const body = JSON.stringify(aMarathon(details));
    const headers = { 'Content-Type': 'application/json' };
    const answer = await fetch(`${url}/marathon/`, { method: 'POST', headers, body });
    expect(answer.status).toBe(201);
    return Number(/\d+$/.exec(answer.headers.get('location')!)![0]);
  };

  it('is not read again while nothing is committed', async () => {
    await create({ name: 'Boston' });
    const first = await list();
    const before = readings;
    // other users of the server commit now and then
    for (let attempt = 0; attempt < 50; attempt += 1) expect(await list()).toEqual(first);
    expect(readings - before).toBeLessThan(50);
  });

  it('is separate for each format, page and count', async () => {
    await create({ name: 'Berlin' });
    for (let attempt = 0; attempt < 2; attempt += 1) {
      expect((await list()).text).toMatch(/^\{"marathon_list"/);
      expect((await list('?format=csv')).text).toMatch(/^id,/);
      const page = await fetch(`${url}/marathon/?limit=1`, { headers: { Prefer: 'count=exact' } });
      expect(page.headers.get('content-range')).toMatch(/^0-0\/\d+$/);
      expect(page.headers.get('link')).toContain('rel="next"');
      expect((await page.text()).split('\n')).toHaveLength(
        (await list('?limit=1')).text.split('\n').length,
      );
    }
  });

  it('includes writes of psql and of the guide’s app', async () => {
    const { query } = running.database;
    const id = await create({ name: 'Paris' });
    const writes: [sql: string, isThere: (text: string) => boolean][] = [
      [`INSERT INTO marathon (name) VALUES ('Oslo')`, (text) => text.includes('Oslo')],
      [`UPDATE marathon SET city = 'Bærum' WHERE name = 'Oslo'`, (text) => text.includes('Bærum')],
      [`DELETE FROM marathon WHERE name = 'Oslo'`, (text) => !text.includes('Oslo')],
      [`UPDATE marathon SET name = 'Lutèce' WHERE id = ${id}`, (text) => text.includes('Lutèce')],
      ['TRUNCATE marathon', (text) => !text.includes('"id"')],
    ];
    for (const [sql, isThere] of writes) {
      for (let attempt = 0; attempt < 5; attempt += 1)
        expect(isThere((await list()).text)).toBe(false);
      await query(sql);
      expect(isThere((await list()).text)).toBe(true);
    }
  });

  it('includes a transaction that was open meanwhile, once it is committed', async () => {
    const writer = new pg.Client(running.database.url);
    await writer.connect();
    try {
      await writer.query(`BEGIN; INSERT INTO marathon (name) VALUES ('Rome')`);
      for (let attempt = 0; attempt < 5; attempt += 1)
        expect((await list()).text).not.toContain('Rome');
      await writer.query('COMMIT');
      expect((await list()).text).toContain('Rome');
    } finally {
      await writer.end();
    }
  });

  it('includes every acknowledged write, under load', async () => {
    const over = new AbortController();
    const read = async () => {
      let latest = 0;
      while (!over.signal.aborted) {
        const seq = Number.parseInt((await list()).etag!.slice(1), 10);
        expect(seq).toBeGreaterThanOrEqual(latest);
        latest = seq;
      }
    };
    const readers = Promise.all(Array.from({ length: 16 }, read));
    try {
      for (let round = 0; round < 100; round += 1) {
        const id = await create({ name: `Round ${round}` });
        const lists = await Promise.all(Array.from({ length: 3 }, async () => list()));
        for (const { text } of lists) expect(text).toContain(`"id":${id},"name":"Round ${round}"`);
      }
    } finally {
      over.abort();
      await readers;
    }
  });

  it('has the anniversaries of the current year', async () => {
    await create({ name: 'Round ten in 2031', inception_year: 2021 });
    const year = jest.spyOn(Date.prototype, 'getUTCFullYear').mockReturnValue(2030);
    try {
      for (let attempt = 0; attempt < 5; attempt += 1) {
        expect((await list('anniversaries')).text).not.toContain('Round ten in 2031');
      }
      year.mockReturnValue(2031);
      expect((await list('anniversaries')).text).toContain('Round ten in 2031');
    } finally {
      year.mockRestore();
    }
  });

  it('is not used with a server that reports no snapshot', async () => {
    await running.database.query(WITHOUT_SNAPSHOTS);
    for (const { toDatabase } of proxy.links) toDatabase.destroy();
    for (let attempt = 0; attempt < 5; attempt += 1) {
      const before = readings;
      await list();
      expect(readings - before).toBe(1);
    }
    await create({ name: 'Vienna' });
    expect((await list()).text).toContain('Vienna');
  });
});
