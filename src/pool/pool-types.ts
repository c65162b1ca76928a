import type pg from 'pg';
import type { RecyclingClient } from './recycling-client.js';

/** A host and a port; the folder of its socket in the place of the host. */
export interface ServerAddress {
  host: string;
  port: number;
}

/** Which of several servers connections go to: https://www.postgresql.org/docs/current/libpq-connect.html#LIBPQ-CONNECT-TARGET-SESSION-ATTRS */
export type TargetServer = 'primary' | 'any';

/** The options of the pool besides those of pg. */
export interface RecyclingOptions extends pg.PoolConfig {
  max: number;
  /** No older connection is checked out. */
  recycleSeconds: number;
  /** How long a caller without a deadline waits for a connection. */
  deadlineMs: number;
  /** What is tried if the server rejects `ssl`. */
  sslFallback?: pg.PoolConfig['ssl'];
  /** If there are several. */
  servers?: ServerAddress[];
  targetServer?: TargetServer;
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
