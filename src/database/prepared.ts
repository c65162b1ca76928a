import { createHash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { PoolClient, QueryResult } from 'pg';
import type { DataSource } from 'typeorm';
import type { Deadline } from './deadline.js';
import { hasErrorCode } from './error-code.js';
import { poolOf, type RecyclingPool } from './recycling-pool.js';

/**
 * What is said of a statement that another connection prepared, as behind a pooler that hands out a
 * connection a statement, or that was prepared before its table changed. None of it was done then.
 * https://www.postgresql.org/docs/current/sql-prepare.html
 */
const [NO_SUCH_STATEMENT, ALREADY_PREPARED, PLAN_IS_OUTDATED] = ['26000', '42P05', '0A000'];

const log = new Logger('Prepared statements');
const names = new Map<string, string>();
const withoutThem = new WeakSet<RecyclingPool>();

/**
 * A plan made while a table was small reads all of it, which is slow once it has grown, and PostgreSQL
 * keeps the plan until autovacuum has been there: a minute by default, or more.
 * https://www.postgresql.org/docs/current/sql-discard.html
 */
const PLANS_LAST_MS = 1000;
const plannedAt = new WeakMap<PoolClient, number>();

/**
 * Runs a statement by itself, outside of any transaction, which each connection reads and plans once;
 * every time where that turns out to be impossible. There should be few of such texts. It goes past
 * TypeORM, whose way to a connection costs more than such a statement.
 */
export async function queryPrepared<Row>(
  dataSource: DataSource,
  deadline: Deadline,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const pool = poolOf(dataSource);
  const client = await pool.checkOut(deadline);
  try {
    return await runPrepared(pool, client, text, values);
  } finally {
    client.release();
  }
}

/** The same on a connection that was taken. */
export async function runPrepared<Row>(
  pool: RecyclingPool,
  client: PoolClient,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  try {
    if (withoutThem.has(pool)) return (await client.query(text, values)).rows as Row[];
    discardOldPlans(client);
    return (await client.query({ name: nameOf(text), text, values })).rows as Row[];
  } catch (error) {
    if (!hasErrorCode(error, NO_SUCH_STATEMENT, ALREADY_PREPARED, PLAN_IS_OUTDATED)) throw error;
    log.log(`They do without from now on: ${String(error)}`);
    withoutThem.add(pool);
    return (await client.query(text, values)).rows as Row[];
  }
}

/**
 * Runs several statements without parameters as one, in one transaction, and returns the rows of the last.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
 */
export async function queryScript<Row>(dataSource: DataSource, sql: string): Promise<Row[]> {
  const client = await poolOf(dataSource).checkOut();
  try {
    const results = (await client.query(sql)) as unknown as QueryResult[];
    return results.at(-1)!.rows as Row[];
  } finally {
    client.release();
  }
}

/** What is sent next comes after it on the connection, and need not wait for its answer. */
function discardOldPlans(client: PoolClient): void {
  const now = Date.now();
  const lastAt = plannedAt.get(client);
  if (lastAt !== undefined && now - lastAt < PLANS_LAST_MS) return;
  plannedAt.set(client, now);
  // a new connection has none
  if (lastAt === undefined) return;
  client
    .query('DISCARD PLANS')
    .catch((error: unknown) => log.debug(`Plans stay: ${String(error)}`));
}

/** Whoever prepares the same text on a connection that is shared behind a pooler gives it the same name. */
function nameOf(text: string): string {
  const name = names.get(text) ?? createHash('sha256').update(text).digest('hex').slice(0, 32);
  names.set(text, name);
  return name;
}
