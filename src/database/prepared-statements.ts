import { createHash } from 'node:crypto';
import { Logger } from '@nestjs/common';
import type { QueryResult } from 'pg';
import type { DataSource } from 'typeorm';
import type { Deadline } from '../pool/deadline.js';
import { hasErrorCode } from '../pool/error-code.js';
import type { PooledClient } from '../pool/pool-types.js';
import { PreparedQuery } from '../pool/prepared-query.js';
import { poolOf, type RecyclingPool } from '../pool/recycling-pool.js';

/**
 * The errors for a statement that was prepared on another connection, as behind a pooler in transaction
 * mode, or before its table changed. The statement was not executed then.
 * https://www.postgresql.org/docs/current/sql-prepare.html
 */
const [INVALID_STATEMENT_NAME, DUPLICATE_STATEMENT, FEATURE_NOT_SUPPORTED] = [
  '26000',
  '42P05',
  '0A000',
];

const log = new Logger('Prepared statements');
const statementNames = new Map<string, string>();
const poolsWithoutPrepared = new WeakSet<RecyclingPool>();

/**
 * A plan made for a small table scans all of it, which is slow when the table has grown. PostgreSQL keeps
 * the plan until autovacuum has analyzed the table, by default for a minute or more.
 * https://www.postgresql.org/docs/current/sql-discard.html
 */
const PLAN_TTL_MS = 1000;
const plannedAt = new WeakMap<PooledClient, number>();

/**
 * Executes a prepared statement without a transaction. Each connection parses and plans a text once, so
 * there should be few texts. It uses the pool directly: TypeORM's way to a connection costs more than such
 * a statement.
 */
export async function queryPrepared<Row>(
  dataSource: DataSource,
  deadline: Deadline,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  return queryPreparedOn(poolOf(dataSource), deadline, text, values);
}

/** As `queryPrepared`, on one server of several. */
export async function queryPreparedOn<Row>(
  pool: RecyclingPool,
  deadline: Deadline,
  text: string,
  values: unknown[] = [],
): Promise<Row[]> {
  return withClient(pool, deadline, async (client) => runPrepared(pool, client, text, values));
}

/** Executes a statement on one server of several, without preparing it. For texts that are rarely the same. */
export async function queryOn<Row>(
  pool: RecyclingPool,
  deadline: Deadline,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  return withClient(
    pool,
    deadline,
    async (client) => (await client.query(text, values)).rows as Row[],
  );
}

/** As `queryPrepared`, on a connection that is checked out. */
export async function runPrepared<Row>(
  pool: RecyclingPool,
  client: PooledClient,
  text: string,
  values: unknown[],
): Promise<Row[]> {
  try {
    if (poolsWithoutPrepared.has(pool)) return (await client.query(text, values)).rows as Row[];
    discardOldPlans(client);
    const name = nameOf(text);
    if (client.isPooled) return (await client.query({ name, text, values })).rows as Row[];
    return (await PreparedQuery.run(client, name, text, values)) as Row[];
  } catch (error) {
    if (!hasErrorCode(error, INVALID_STATEMENT_NAME, DUPLICATE_STATEMENT, FEATURE_NOT_SUPPORTED))
      throw error;
    log.log(`They are not used from now on: ${String(error)}`);
    poolsWithoutPrepared.add(pool);
    return (await client.query(text, values)).rows as Row[];
  }
}

/**
 * Executes several statements without parameters in one transaction. Returns the rows of the last one.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-MULTI-STATEMENT
 */
export async function queryScript<Row>(dataSource: DataSource, sql: string): Promise<Row[]> {
  return withClient(poolOf(dataSource), undefined, async (client) => {
    const results = (await client.query(sql)) as unknown as QueryResult[];
    return results.at(-1)!.rows as Row[];
  });
}

/** Without a deadline, the current one. */
async function withClient<T>(
  pool: RecyclingPool,
  deadline: Deadline | undefined,
  work: (client: PooledClient) => Promise<T>,
): Promise<T> {
  const client = await pool.checkOut(deadline);
  try {
    return await work(client);
  } finally {
    client.release();
  }
}

/** The next statement follows on the connection and need not wait for the response. */
function discardOldPlans(client: PooledClient): void {
  const now = Date.now();
  const lastAt = plannedAt.get(client);
  if (lastAt !== undefined && now - lastAt < PLAN_TTL_MS) return;
  plannedAt.set(client, now);
  // a new connection has no plans
  if (lastAt === undefined) return;
  client
    .query('DISCARD PLANS')
    .catch((error: unknown) => log.debug(`Plans were not discarded: ${String(error)}`));
}

/** Behind a pooler, connections are shared: the same text must have the same name everywhere. */
function nameOf(text: string): string {
  const name =
    statementNames.get(text) ?? createHash('sha256').update(text).digest('hex').slice(0, 32);
  statementNames.set(text, name);
  return name;
}
