import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { CITUS_URL, citusUrlOf, createOnCluster, dropOnCluster } from './citus.js';
import { query } from './query.js';

export { query } from './query.js';

/** A database on the PostgreSQL of the test run. */
export interface TestDatabase {
  url: string;
  query: (sql: string) => Promise<Record<string, unknown>[]>;
  drop: () => Promise<void>;
}

/** Creates an empty database. `options` are those of CREATE DATABASE. */
export async function createDatabase(options = ''): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  if (CITUS_URL) await createOnCluster(name, options);
  else await query(urlOf('postgres'), `CREATE DATABASE ${name} ${options}`);
  return {
    url: CITUS_URL ? citusUrlOf(name) : urlOf(name, process.env.TEST_SERVICE_SOCKET),
    query: async (sql) => query(urlOf(name), sql),
    drop: async () => {
      if (CITUS_URL) await dropOnCluster(name);
      else await query(urlOf('postgres'), `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

/** Resolves when `count` connections wait for a lock. */
export async function untilBlocked(database: TestDatabase, count: number): Promise<void> {
  const blocked = `SELECT 1 FROM pg_stat_activity
                   WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`;
  while ((await database.query(blocked)).length < count);
}

/** Runs `work` while another client holds a lock, which `work` may release. */
export async function whileLocked<T>(
  { url }: TestDatabase,
  lock: string,
  work: (release: () => Promise<unknown>) => Promise<T>,
): Promise<T> {
  const blocker = new pg.Client(url);
  await blocker.connect();
  try {
    await blocker.query(`BEGIN; ${lock}`);
    return await work(async () => blocker.query('COMMIT'));
  } finally {
    await blocker.end();
  }
}

function urlOf(database: string, socketFolder = process.env.TEST_POSTGRES_SOCKET): string {
  if (CITUS_URL) return citusUrlOf(database);
  return `postgresql://postgres@/${database}?host=${encodeURIComponent(socketFolder ?? '')}`;
}
