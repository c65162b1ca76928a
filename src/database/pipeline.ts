import type { DataSource } from 'typeorm';
import type { Deadline } from '../pool/deadline.js';
import type { PooledClient } from '../pool/pool-types.js';
import { poolOf, type RecyclingPool } from '../pool/recycling-pool.js';
import { runPrepared } from './prepared-statements.js';

/** A connection without a response for this time is not shared: it may be dead. */
const MAX_QUIET_MS = 50;
/** After this time a connection returns to the pool, which checks its age. */
const MAX_SHARED_MS = 1000;

/** A connection that several statements use at the same time. */
interface SharedConnection {
  connecting: Promise<PooledClient>;
  /** Set when it is connected. */
  client?: PooledClient;
  userCount: number;
  readonly sharedAt: number;
  lastResponseAt: number;
}

/**
 * Sends statements on one connection without waiting for the response to the previous one, each in a
 * transaction of its own (pipelining). PostgreSQL has the next statement when it has finished one, however
 * busy this process is.
 * https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 *
 * Not behind a pooler: if a connection fails whose statements are in flight, PgBouncer before 1.23 gives their
 * responses to another client (https://github.com/pgbouncer/pgbouncer/pull/1034).
 */
export class Pipeline {
  private current?: SharedConnection;

  constructor(private readonly dataSource: DataSource) {}

  /** As `queryPrepared`. */
  async query<Row>(deadline: Deadline, text: string, values: unknown[]): Promise<Row[]> {
    const pool = poolOf(this.dataSource);
    const shared = this.join(pool, deadline);
    try {
      shared.client = await shared.connecting;
      return await runPrepared<Row>(pool, shared.client, text, values);
    } finally {
      this.leave(shared);
    }
  }

  private join(pool: RecyclingPool, deadline: Deadline): SharedConnection {
    const now = Date.now();
    if (!this.current || !canBeJoined(this.current, now)) {
      const connecting = checkOut(pool, deadline);
      this.current = { connecting, userCount: 0, sharedAt: now, lastResponseAt: now };
    }
    this.current.userCount += 1;
    return this.current;
  }

  private leave(shared: SharedConnection): void {
    shared.lastResponseAt = Date.now();
    shared.userCount -= 1;
    if (shared.userCount) return;
    if (this.current === shared) this.current = undefined;
    if (!shared.client) return;
    shared.client.isPipelining = false;
    shared.client.release();
  }
}

async function checkOut(pool: RecyclingPool, deadline: Deadline): Promise<PooledClient> {
  const client = await pool.checkOut(deadline);
  client.isPipelining = !client.isPooled;
  return client;
}

/** A connection that is still connecting is not joined: that could take as long as another one. */
function canBeJoined({ client, sharedAt, lastResponseAt }: SharedConnection, now: number): boolean {
  if (!client || client.isPooled) return false;
  return now - lastResponseAt < MAX_QUIET_MS && now - sharedAt < MAX_SHARED_MS;
}
