import { randomUUID } from 'node:crypto';
import pg from 'pg';

/** A database on the PostgreSQL of the test run. */
export interface TestDatabase {
  url: string;
  query: (sql: string) => Promise<Record<string, unknown>[]>;
  drop: () => Promise<void>;
}

/** Creates an empty database. `options` are those of CREATE DATABASE. */
export async function createDatabase(options = ''): Promise<TestDatabase> {
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  await query(urlOf('postgres'), `CREATE DATABASE ${name} ${options}`);
  return {
    url: urlOf(name, process.env.TEST_SERVICE_SOCKET),
    query: async (sql) => query(urlOf(name), sql),
    drop: async () => {
      await query(urlOf('postgres'), `DROP DATABASE ${name} WITH (FORCE)`);
    },
  };
}

/** Resolves when `count` connections wait for a lock. */
export async function untilBlocked(database: TestDatabase, count: number): Promise<void> {
  const blocked = `SELECT 1 FROM pg_stat_activity
                   WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`;
  while ((await database.query(blocked)).length < count);
}

function urlOf(database: string, socketFolder = process.env.TEST_POSTGRES_SOCKET): string {
  return `postgresql://postgres@/${database}?host=${encodeURIComponent(socketFolder ?? '')}`;
}

/** Executes a statement on a connection of its own. */
export async function query(url: string, sql: string): Promise<Record<string, unknown>[]> {
  const client = new pg.Client(url);
  // the statement fails too, if the server ends
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query(sql)).rows;
  } finally {
    await client.end();
  }
}
