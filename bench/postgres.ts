import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { EmbeddedServer } from '../src/embedded-postgres/embedded-server.js';

/** A PostgreSQL for the run, with a database for each server. */
export interface BenchServer {
  version: string;
  createDatabase: (name: string) => Promise<string>;
  stop: () => Promise<void>;
}

export async function startPostgres(): Promise<BenchServer> {
  const folder = await mkdtemp(join(tmpdir(), 'marathon-bench-'));
  const socket = `${folder}-socket`;
  const server = new EmbeddedServer(join(folder, 'data'), socket);
  await server.start();
  const urlOf = (name: string) => `postgresql://postgres@/${name}?host=${socket}`;
  return {
    version: String((await query(urlOf('postgres'), 'SHOW server_version'))[0]!.server_version),
    createDatabase: async (name) => {
      await query(urlOf('postgres'), `CREATE DATABASE ${name}`);
      return urlOf(name);
    },
    stop: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

export async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  return withClient(url, async (client) => (await client.query(sql)).rows);
}

/** Runs `work` with a connection. */
export async function withClient<T>(url: string, work: (client: pg.Client) => Promise<T>) {
  const client = new pg.Client(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Runs `work` while a separate connection repeats a statement. */
export async function whileSending<T>(
  url: string,
  sql: string,
  work: () => Promise<T>,
): Promise<T> {
  const over = new AbortController();
  const sending = withClient(url, async (client) => {
    while (!over.signal.aborted) await client.query(sql);
  });
  const [result] = await Promise.all([work().finally(() => over.abort()), sending]);
  return result;
}

/** Creates the guide's table with this number of rows. */
export async function seed(url: string, count: number): Promise<void> {
  await query(
    url,
    `CREATE TABLE marathon (
       id serial PRIMARY KEY, name varchar(100), city varchar(50), inception_year integer)`,
  );
  await addRows(url, 1, count);
}

export async function addRows(url: string, first: number, last: number): Promise<void> {
  const row = `'Marathon number ' || n, 'City ' || n % 1000, 1900 + n % 120`;
  await query(
    url,
    `INSERT INTO marathon (name, city, inception_year) SELECT ${row} FROM generate_series(${first}, ${last}) AS n`,
  );
  await query(url, 'VACUUM ANALYZE marathon');
}

/** The same rows as CSV. */
export function writeRows(first: number, last: number): string {
  const lines = ['name,city,inception_year'];
  for (let n = first; n <= last; n += 1) {
    lines.push(`Marathon number ${n},City ${n % 1000},${1900 + (n % 120)}`);
  }
  return lines.join('\n');
}
