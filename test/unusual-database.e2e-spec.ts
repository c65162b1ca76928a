import { randomUUID } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { startApp, type RunningApp } from './support/app.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { runProgram, startService } from './support/service.js';

const JSON_TYPE = { 'Content-Type': 'application/json' };
const CSV_TYPE = { 'Content-Type': 'text/csv' };
const GUIDES_TABLE = `CREATE TABLE marathon (id SERIAL NOT NULL, name VARCHAR(100), city VARCHAR(50),
                      inception_year INTEGER, PRIMARY KEY (id))`;

const SPONSORS = `CREATE TABLE sponsor (marathon_id integer REFERENCES marathon (id));
                  INSERT INTO sponsor VALUES (1)`;

/** Each of these defaults would break the service if it did not set its own value. */
const UNUSABLE_SETTINGS = [
  'standard_conforming_strings = off',
  'backslash_quote = off',
  "bytea_output = 'escape'",
  "DateStyle = 'SQL, DMY'",
  'extra_float_digits = -15',
  "default_transaction_isolation = 'serializable'",
  'default_transaction_deferrable = on',
  'statement_timeout = 20',
  'idle_in_transaction_session_timeout = 1',
  'lock_timeout = 1',
  "TimeZone = 'Asia/Kathmandu'",
  "IntervalStyle = 'sql_standard'",
  "client_encoding = 'LATIN1'",
  'array_nulls = off',
  'transform_null_equals = on',
  'synchronous_commit = off',
  'quote_all_identifiers = on',
  'plan_cache_mode = force_generic_plan',
  'row_security = off',
];

describe('a database', () => {
  let database: TestDatabase;
  let running: RunningApp | undefined;
  beforeEach(async () => void (database = await createDatabase()));
  afterEach(async () => {
    await running?.close();
    running = undefined;
    await database.drop();
  });

  /** In this process, which is faster than a process of its own. */
  const startHere = async (settings = {}) => {
    running = await startApp(settings, undefined, database);
    return running.app.getUrl();
  };
  const start = async (settings = {}, url = database.url) =>
    startService({ DATABASE_URL: url, LOG_LEVEL: 'info', ...settings });
  const refusal = async (url = database.url) =>
    (await runProgram('main.js', [], { DATABASE_URL: url, PORT: '0' })).stderr;
  const alter = async (setting: string) =>
    database.query(`SET TRANSACTION READ WRITE; ALTER DATABASE ${nameOf(database)} SET ${setting}`);

  it('works with defaults that the service cannot use', async () => {
    for (const setting of UNUSABLE_SETTINGS) await alter(setting);
    const { url, stop } = await start();
    await expectItWorks(url);
    expect((await stop()).exitCode).toBe(0);
  });

  it.each(["search_path = ''", "search_path = 'nowhere'"])('works with %s', async (setting) => {
    await alter(setting);
    await expectItWorks(await startHere());
  });

  it('with synchronous_commit = off still stores acknowledged writes on disk', async () => {
    await alter('synchronous_commit = off');
    const url = await startHere();
    await database.query(`CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
      $$ BEGIN NEW.city = current_setting('synchronous_commit'); RETURN NEW; END $$;
      CREATE TRIGGER note BEFORE INSERT ON marathon FOR EACH ROW EXECUTE FUNCTION note()`);
    const { body } = await send(url, 'POST', '', aMarathon());
    expect((await send(url, 'GET', String(body.id))).body.city).toBe('on');
  });

  it.each(['LATIN1', 'SQL_ASCII'])(
    'in %s is rejected, with the statement that creates another one',
    async (encoding) => {
      const other = await createDatabase(
        `ENCODING '${encoding}' LOCALE_PROVIDER libc LOCALE 'C' TEMPLATE template0`,
      );
      try {
        const stderr = await refusal(other.url);
        expect(stderr.trim().split('\n')).toHaveLength(1);
        const sql = /Run (CREATE DATABASE.*?;)/.exec(stderr)![1]!;
        expect(sql).toContain("ENCODING 'UTF8'");
        const name = `suggested_${randomUUID().replaceAll('-', '')}`;
        await database.query(sql.replace('marathons', name));
        await database.query(`DROP DATABASE ${name}`);
      } finally {
        await other.drop();
      }
    },
  );

  it('without Citus is not distributed, and the message says what is missing', async () => {
    const settings = { DATABASE_URL: database.url, DB_DISTRIBUTE: 'citus', PORT: '0' };
    const { stderr } = await runProgram('main.js', [], settings);
    expect(stderr.trim().split('\n')).toEqual([expect.stringContaining('CREATE EXTENSION citus')]);
  });

  describe('that is read-only', () => {
    it('serves reads, and explains rejected writes', async () => {
      const first = await start();
      const { body } = await send(first.url, 'POST', '', aMarathon());
      await first.stop();
      await alter('default_transaction_read_only = on');
      const { url } = await start();
      expect((await send(url, 'GET', String(body.id))).status).toBe(200);
      expect((await send(url, 'GET')).body.marathon_list).toHaveLength(1);
      const writes = [
        send(url, 'POST', '', aMarathon()),
        send(url, 'POST', '', 'name\nBoston\n'),
        send(url, 'PATCH', String(body.id), { city: 'Paris' }),
        send(url, 'PATCH', '?id=gt.0', { city: 'Paris' }),
        send(url, 'DELETE', String(body.id)),
        send(url, 'POST', `${body.id}/restore?version=1`),
      ];
      for (const { status, body: problem } of await Promise.all(writes)) {
        expect({ status, type: problem.type }).toEqual({
          status: 503,
          type: '/problems/database-read-only',
        });
      }
    });

    it('stores a write if it becomes writable within the deadline', async () => {
      const { url } = await start({ DB_RECYCLE_SECONDS: '1' });
      await alter('default_transaction_read_only = on');
      await database.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                            WHERE datname = current_database() AND pid <> pg_backend_pid()`);
      const written = send(url, 'POST', '', aMarathon());
      await alter('default_transaction_read_only = off');
      expect((await written).status).toBe(201);
    });

    it('ends the start if it has no tables', async () => {
      await alter('default_transaction_read_only = on');
      expect(await refusal()).toMatch(/lacks[^]*CREATE TABLE/);
    });
  });

  describe('whose role lacks a privilege', () => {
    const role = `clerk_${randomUUID().replaceAll('-', '')}`;
    const asRole = () => database.url.replace('postgres@', `${role}@`);
    beforeEach(async () => void (await database.query(`CREATE ROLE ${role} LOGIN`)));
    afterEach(async () => {
      await database.query(`DROP OWNED BY ${role} CASCADE; DROP ROLE ${role}`);
    });

    /** Running the suggested SQL is enough. */
    const expectRemedyWorks = async (stderr: string) => {
      await database.query(/run ((GRANT|ALTER).*;)$/m.exec(stderr)![1]!);
      const { url } = await start({}, asRole());
      expect((await send(url, 'POST', '', aMarathon())).status).toBe(201);
    };

    it.each([
      ['create tables', ''],
      ['change a table of somebody else', `${GUIDES_TABLE}; GRANT CREATE ON SCHEMA public TO ROLE`],
    ])('to %s names it, and the SQL that grants it', async (_, sql) => {
      if (sql) await database.query(sql.replace('ROLE', role));
      const stderr = await refusal(asRole());
      expect(stderr.trim().split('\n')).toEqual([expect.stringMatching(/run (GRANT|ALTER).*;$/)]);
      await expectRemedyWorks(stderr);
    });

    it('to write rows is reported', async () => {
      await (await start()).stop();
      await database.query(`GRANT SELECT ON ALL TABLES IN SCHEMA public TO ${role}`);
      const stderr = await refusal(asRole());
      await expectRemedyWorks(stderr);
    });
  });

  describe('whose table differs', () => {
    it.each([
      ['one more column', 'ALTER TABLE marathon ADD COLUMN website text'],
      ['two more columns', 'ALTER TABLE marathon ADD COLUMN website text, ADD COLUMN winner text'],
      ['a wider id', 'ALTER TABLE marathon ALTER COLUMN id TYPE bigint'],
      ['text without limits', 'ALTER TABLE marathon ALTER name TYPE text, ALTER city TYPE text'],
      ['a longer name', 'ALTER TABLE marathon ALTER name TYPE varchar(200)'],
      ['wider years', 'ALTER TABLE marathon ALTER inception_year TYPE bigint'],
      [
        'an identity',
        `ALTER TABLE marathon ALTER id DROP DEFAULT;
        DROP SEQUENCE marathon_id_seq; ALTER TABLE marathon ALTER id ADD GENERATED ALWAYS AS IDENTITY`,
      ],
      ['a check', 'ALTER TABLE marathon ADD CHECK (inception_year > 0)'],
      ['an index', 'CREATE INDEX by_city ON marathon (city)'],
    ])('by %s is used unchanged', async (_, change) => {
      await database.query(`${GUIDES_TABLE}; ${change}`);
      const columns = `SELECT column_name, data_type FROM information_schema.columns
                       WHERE table_name = 'marathon' AND column_name <> 'version' ORDER BY 1`;
      const before = await database.query(columns);
      await expectItWorks(await startHere());
      await running!.close();
      expect(await database.query(columns)).toEqual(before);
      await startHere({ DB_SCHEMA: 'check' });
    });

    it('reports the columns that it ignores', async () => {
      await database.query(`${GUIDES_TABLE}; ALTER TABLE marathon ADD COLUMN website text`);
      const { output } = await (await start()).stop();
      expect(output).toContain('Ignored columns: marathon.website');
    });

    it('by narrower columns ends the start, with the statements to run', async () => {
      await database.query(GUIDES_TABLE.replace('VARCHAR(100)', 'VARCHAR(10)'));
      const stderr = await refusal();
      expect(stderr).not.toContain('DROP');
      await database.query(/^ *(ALTER TABLE.*;)$/m.exec(stderr)![1]!);
      await expectItWorks(await startHere());
    });
  });

  describe('with constraints of its own', () => {
    it.each([
      ['a table that refers to it', SPONSORS, 'DELETE', '1', undefined, '"sponsor"'],
      ['the same, for many', SPONSORS, 'DELETE', '?id=gt.0', undefined, '"sponsor"'],
      [
        'a check',
        'ALTER TABLE marathon ADD CONSTRAINT modern CHECK (inception_year > 1800)',
        'PATCH',
        '1',
        { inception_year: 1700 },
        '"modern"',
      ],
      [
        'a column that must be filled',
        `ALTER TABLE marathon ALTER city SET NOT NULL`,
        'PATCH',
        '1',
        { city: null },
        '"city"',
      ],
      [
        'a unique name',
        'CREATE UNIQUE INDEX ON marathon (name)',
        'POST',
        '',
        aMarathon(),
        'already',
      ],
      [
        'a trigger',
        `CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
         $$ BEGIN RAISE 'Only in spring'; END $$;
         CREATE TRIGGER refuse BEFORE UPDATE ON marathon FOR EACH ROW EXECUTE FUNCTION refuse()`,
        'PATCH',
        '1',
        { city: 'Paris' },
        'Only in spring',
      ],
      [
        'the same, for an import',
        'CREATE UNIQUE INDEX ON marathon (name)',
        'POST',
        '',
        'name\nBoston Marathon\n',
        'already',
      ],
    ])('answers 409 for %s, and names it', async (_, rule, method, path, body, named) => {
      const url = await startHere();
      await send(url, 'POST', '', aMarathon());
      await database.query(rule);
      const { status, body: problem } = await send(url, method, path, body);
      expect({ status, detail: problem.detail }).toEqual({
        status: 409,
        detail: expect.stringContaining(named),
      });
      expect((await send(url, 'GET')).body.marathon_list).toHaveLength(1);
    });
  });
});

async function send(url: string, method: string, path = '', body?: object | string, headers = {}) {
  const type = typeof body === 'string' ? CSV_TYPE : JSON_TYPE;
  const answer = await fetch(`${url}/marathon/${path}`, {
    method,
    headers: { ...(body ? type : {}), ...headers },
    body: typeof body === 'object' ? JSON.stringify(body) : body,
  });
  const text = await answer.text();
  return { status: answer.status, body: text && JSON.parse(text) };
}

function nameOf({ url }: TestDatabase): string {
  return new URL(url.replace('@/', '@x/')).pathname.slice(1);
}

/** One request of each kind, with the same answer as on any database. */
async function expectItWorks(url: string): Promise<void> {
  const name = `Zürich \\ 'Marathon' ${randomUUID()}`;
  const created = await send(url, 'POST', '', aMarathon({ name }));
  expect(created).toEqual({ status: 201, body: { id: expect.any(Number) } });
  const { id } = created.body;
  expect((await send(url, 'POST', '', `name\n"back\\slash"\n`)).status).toBe(201);
  expect((await send(url, 'PATCH', String(id), { city: 'St. Moritz' })).status).toBe(200);
  const marathon = { id, name, city: 'St. Moritz', inception_year: 1897 };
  expect(await send(url, 'GET', String(id))).toEqual({ status: 200, body: marathon });
  expect((await send(url, 'GET', '?q=zurich')).body.marathon_list).toEqual([marathon]);
  expect((await send(url, 'GET', `?id=eq.${id}&limit=1`)).body.marathon_list).toEqual([marathon]);
  const backslash = `?name=eq.${encodeURIComponent('back\\slash')}`;
  expect((await send(url, 'GET', backslash)).body.marathon_list).toHaveLength(1);
  const merge = { Prefer: 'resolution=merge-duplicates' };
  expect(await send(url, 'POST', '?on_conflict=name,city', `name\n"back\\slash"\n`, merge)).toEqual(
    { status: 201, body: { inserted: 0, updated: 0, skipped: 1 } },
  );
  const { history } = (await send(url, 'GET', `${id}/history`)).body;
  expect(Date.now() - Date.parse(history[0].at)).toBeLessThan(60_000);
  const asOf = `${id}?as_of=${history[0].at}`;
  expect(await send(url, 'GET', asOf)).toEqual({ status: 200, body: marathon });
  expect((await send(url, 'PATCH', `?id=eq.${id}`, { inception_year: 1898 })).body.updated).toBe(1);
  expect((await send(url, 'DELETE', String(id))).status).toBe(204);
  expect((await send(url, 'POST', `${id}/restore`)).status).toBe(200);
  expect((await send(url, 'GET', 'stats')).body.count).toBe(2);
}
