import type { PoolClient } from 'pg';
import type { DataSource } from 'typeorm';
import type { Deadline } from './deadline.js';
import { runPrepared } from './prepared.js';
import type { RecyclingClient } from './recycling-client.js';
import { poolOf, type RecyclingPool } from './recycling-pool.js';

/** A connection that says nothing for so long is joined by nobody: it may have died. */
const QUIET_MS = 50;
/** So often a connection goes back to the pool, which looks at its age. */
const LONGEST_SHARING_MS = 1000;

/** A connection while statements use it. */
interface Shared {
  client: Promise<PoolClient>;
  /** The same once it is there. */
  taken?: PoolClient;
  users: number;
  readonly takenAt: number;
  heardAt: number;
}

/**
 * Lets statements follow each other down one connection without waiting for the answer to the one
 * before, each in a transaction of its own: however busy this process is, PostgreSQL has the next one
 * there when it is through with one. https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-PIPELINING
 */
export class Pipeline {
  private current?: Shared;

  constructor(private readonly dataSource: DataSource) {}

  /** As `queryPrepared`. */
  async query<Row>(deadline: Deadline, text: string, values: unknown[]): Promise<Row[]> {
    const pool = poolOf(this.dataSource);
    const shared = this.join(pool, deadline);
    try {
      shared.taken = await shared.client;
      return await runPrepared<Row>(pool, shared.taken, text, values);
    } finally {
      this.leave(shared);
    }
  }

  private join(pool: RecyclingPool, deadline: Deadline): Shared {
    const now = Date.now();
    if (!this.current || !mayBeJoined(this.current, now)) {
      this.current = { client: take(pool, deadline), users: 0, takenAt: now, heardAt: now };
    }
    this.current.users += 1;
    return this.current;
  }

  private leave(shared: Shared): void {
    shared.heardAt = Date.now();
    shared.users -= 1;
    if (shared.users) return;
    if (this.current === shared) this.current = undefined;
    if (!shared.taken) return;
    setPipelining(shared.taken, false);
    shared.taken.release();
  }
}

async function take(pool: RecyclingPool, deadline: Deadline): Promise<PoolClient> {
  const client = await pool.checkOut(deadline);
  setPipelining(client, true);
  return client;
}

function setPipelining(client: PoolClient, isPipelining: boolean): void {
  (client as unknown as RecyclingClient).isPipelining = isPipelining;
}

/** Who joins one that is still being opened would wait as long as another may. */
function mayBeJoined({ taken, takenAt, heardAt }: Shared, now: number): boolean {
  return Boolean(taken) && now - heardAt < QUIET_MS && now - takenAt < LONGEST_SHARING_MS;
}
