import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { aMarathon } from './support/a-marathon.js';
import { createDatabase, type TestDatabase } from './support/database.js';
import { runProgram, startService } from './support/service.js';

const COLUMNS = `SELECT column_name FROM information_schema.columns
                 WHERE table_name = 'marathon' ORDER BY ordinal_position`;
const GUIDES_TABLE = `CREATE TABLE marathon (id SERIAL NOT NULL, name VARCHAR(100), city VARCHAR(50),
                      inception_year INTEGER, PRIMARY KEY (id))`;

describe('the schema', () => {
  let database: TestDatabase;
  beforeEach(async () => void (database = await createDatabase()));
  afterEach(async () => database.drop());

  const start = async (DB_SCHEMA: string) =>
    startService({ DATABASE_URL: database.url, DB_SCHEMA, LOG_LEVEL: 'info' });

  const columns = async () => (await database.query(COLUMNS)).map(({ column_name: name }) => name);

  const command = async (...words: string[]) =>
    runProgram('cli.js', words, { DATABASE_URL: database.url });

  it('is created once by eight instances that start concurrently', async () => {
    const services = await Promise.all(Array.from({ length: 8 }, async () => start('sync')));
    for (const { url } of services) expect((await fetch(`${url}/marathon/`)).status).toBe(200);
    await Promise.all(services.map(async ({ stop }) => stop()));
    expect(await columns()).toEqual(['id', 'name', 'city', 'inception_year', 'version']);
  });

  it('is never updated by dropping a column', async () => {
    await database.query(GUIDES_TABLE);
    await database.query('ALTER TABLE marathon ADD COLUMN winner text');
    await (await start('sync')).stop();
    expect(await columns()).toEqual(['id', 'name', 'city', 'inception_year', 'winner', 'version']);
    await (await start('migrate')).stop();
    expect(await columns()).toContain('winner');
  });

  it('keeps an index that it does not know', async () => {
    await database.query(GUIDES_TABLE);
    await database.query('CREATE INDEX by_city ON marathon (city)');
    await (await start('sync')).stop();
    expect(
      await database.query(`SELECT 1 FROM pg_indexes WHERE indexname = 'by_city'`),
    ).toHaveLength(1);
  });

  it('is only checked with DB_SCHEMA=check, which reports what is missing', async () => {
    await expect(start('check')).rejects.toThrow(/CREATE TABLE "marathon"[^]*schema sync/);
    expect(await columns()).toEqual([]);
  });

  it('is the same with migrations and with sync', async () => {
    await (await start('migrate')).stop();
    expect((await command('schema', 'check')).output).toBe('The schema is up to date.\n');
    await (await start('check')).stop();
  });

  it('can be taken back by one version, and forward again, with its data', async () => {
    const service = await start('migrate');
    const headers = { 'Content-Type': 'application/json' };
    const body = JSON.stringify(aMarathon());
    await fetch(`${service.url}/marathon/`, { method: 'POST', headers, body });
    const history = await readHistory(service.url);
    await service.stop();
    const revert = ['typeorm', 'migration:revert', '-d', 'dist/ormconfig.js'];
    const env = { ...process.env, DATABASE_URL: database.url };
    await promisify(execFile)('npx', revert, { env });
    expect(await database.query('SELECT name FROM schema_migration')).toHaveLength(4);
    const again = await start('migrate');
    expect(await readHistory(again.url)).toBe(history);
    expect(await database.query('SELECT name FROM schema_migration')).toHaveLength(5);
  });

  it('can change from sync to migrations', async () => {
    expect((await command('schema', 'sync')).exitCode).toBe(0);
    await (await start('migrate')).stop();
    await (await start('migrate')).stop();
    expect(await database.query('SELECT name FROM schema_migration')).toHaveLength(5);
  });
});

async function readHistory(url: string): Promise<string> {
  return (await fetch(`${url}/marathon/1/history`)).text();
}
