import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { createDatabase, type TestDatabase } from './support/database.js';
import { runProgram, startService } from './support/service.js';

/** The table that SQLAlchemy's `db.create_all()` creates for the guide's model. */
const GUIDES_TABLE = `CREATE TABLE marathon (id SERIAL NOT NULL, name VARCHAR(100), city VARCHAR(50),
                      inception_year INTEGER, PRIMARY KEY (id))`;
/** Stores a marathon as the guide's app does. */
const GUIDES_INSERT = 'INSERT INTO marathon (name, city, inception_year) VALUES';
const GUIDES_SELECT =
  'SELECT marathon.id, marathon.name, marathon.city, marathon.inception_year FROM marathon';

describe('a database of the guide’s app', () => {
  let database: TestDatabase;
  beforeEach(async () => {
    database = await createDatabase();
    await database.query(GUIDES_TABLE);
    await database.query(`${GUIDES_INSERT} ('Boston', 'Boston', 1897), (NULL, NULL, NULL)`);
  });
  afterEach(async () => database.drop());

  const start = async (settings = {}) => startService({ DATABASE_URL: database.url, ...settings });

  it.each(['sync', 'migrate'])('is journaled with all rows by DB_SCHEMA=%s', async (DB_SCHEMA) => {
    const { url, stop } = await start({ DB_SCHEMA });
    expect(await get(`${url}/marathon/`)).toEqual({
      etag: '"2"',
      body: {
        marathon_list: [
          { id: 1, name: 'Boston', city: 'Boston', inception_year: 1897 },
          { id: 2, name: null, city: null, inception_year: null },
        ],
      },
    });
    expect((await get(`${url}/marathon/1`)).etag).toBe('"1"');
    expect((await get(`${url}/marathon/2/history`)).body).toMatchObject({
      history: [{ seq: 2, operation: 'create', version: 1, marathon: { id: 2, name: null } }],
    });
    await stop();
  });

  it('is journaled by "schema sync", and not again by the next start', async () => {
    await runProgram('cli.js', ['schema', 'sync'], { DATABASE_URL: database.url });
    expect(await database.query('SELECT seq FROM journal')).toHaveLength(2);
    const { stop } = await start();
    expect(await database.query('SELECT seq FROM journal')).toHaveLength(2);
    await stop();
  });

  it('accepts a name for a marathon without one', async () => {
    const { url, stop } = await start();
    expect((await patch(`${url}/marathon/2`, { name: 'Berlin' })).status).toBe(200);
    expect((await get(`${url}/marathon/2`)).body).toMatchObject({ name: 'Berlin' });
    await stop();
  });

  it('can still be used by the guide’s app, and the next start journals its rows', async () => {
    const first = await start();
    await database.query(`${GUIDES_INSERT} ('Berlin', 'Berlin', 1974)`);
    expect((await get(`${first.url}/marathon/3`)).etag).toBe('"1"');
    expect(await database.query(`${GUIDES_SELECT} WHERE marathon.id = 1`)).toHaveLength(1);
    await first.stop();
    const second = await start();
    expect((await get(`${second.url}/marathon/3/history`)).body).toMatchObject({
      history: [{ seq: 3, operation: 'create', version: 1 }],
    });
    await second.stop();
  });

  it.each(['PATCH', 'DELETE'])(
    'has a row of the app journaled by %s at the latest',
    async (method) => {
      const { url, stop } = await start();
      await database.query(`${GUIDES_INSERT} ('Berlin', 'Berlin', 1974)`);
      const answer = await (method === 'PATCH'
        ? patch(`${url}/marathon/3`, { inception_year: 1975 }, { 'If-Match': '"1"' })
        : fetch(`${url}/marathon/3`, { method, headers: { 'If-Match': '"1"' } }));
      expect(answer.ok).toBe(true);
      expect((await get(`${url}/marathon/3/history`)).body).toMatchObject({
        history: [
          { version: 2 },
          { version: 1, operation: 'create', marathon: { name: 'Berlin' } },
        ],
      });
      await stop();
    },
  );
});

const get = async (url: string) => {
  const answer = await fetch(url);
  return { etag: answer.headers.get('etag'), body: (await answer.json()) as never };
};
const patch = async (url: string, body: object, headers = {}) =>
  fetch(url, {
    method: 'PATCH',
    headers: { 'Content-Type': 'application/json', ...headers },
    body: JSON.stringify(body),
  });
