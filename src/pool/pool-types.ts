import type pg from 'pg';
import type { RecyclingClient } from './recycling-client.js';

/** The options of the pool besides those of pg. */
export interface RecyclingOptions extends pg.PoolConfig {
  max: number;
  /** No older connection is checked out. */
  recycleSeconds: number;
  /** How long a caller without a deadline waits for a connection. */
  deadlineMs: number;
  /** What is tried if the server rejects `ssl`. */
  sslFallback?: pg.PoolConfig['ssl'];
}

/** A connection that is checked out. */
export type PooledClient = RecyclingClient & Pick<pg.PoolClient, 'release'>;

/** A connection of pg's pool, and how it is returned there. */
export interface Lease {
  client: PooledClient;
  returnToPool: (error?: Error | boolean) => void;
}

export type ConnectCallback = (
  error?: Error,
  client?: pg.PoolClient,
  release?: (error?: unknown) => void,
) => void;
