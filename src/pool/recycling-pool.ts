import pg from 'pg';
import type { DataSource } from 'typeorm';
import { BackendStates } from './backend-states.js';
import { bigintAsNumber } from './bigint-as-number.js';
import { ConnectionHealth } from './connection-health.js';
import { ConnectionMonitor } from './connection-monitor.js';
import { Connector } from './connector.js';
import {
  currentDeadline,
  DeadlineExceededError,
  deadlineIn,
  settleBy,
  type Deadline,
} from './deadline.js';
import type { ConnectCallback, Lease, PooledClient, RecyclingOptions } from './pool-types.js';
import { Leases } from './leases.js';
import { ProbeConnections } from './probe-connections.js';
import { RecyclingClient } from './recycling-client.js';
import { NotPrimaryError, Servers } from './servers.js';
import { CONNECT_TIMEOUT_MS } from './session-setup.js';

const END_TIMEOUT_MS = 1000;

/** What this class uses of pg's pool beyond its documentation. A test checks it in the installed version. */
interface PgPoolInternals {
  /** All, also those that are being opened. */
  _clients: RecyclingClient[];
  _idle: { client: RecyclingClient }[];
}

/**
 * A pool that does not hand out dead connections. At each checkout it replaces connections that are too
 * old, validates those that were idle, and retries to connect until the deadline. Connections that are
 * checked out are monitored (see `ConnectionMonitor`). A connection that is closed, busy or in a transaction
 * when it is released is discarded.
 *
 * The age is checked at checkout and not by a timer, because a suspended process misses its timers.
 */
export class RecyclingPool extends pg.Pool {
  readonly leases: Leases;
  private readonly probes = new ProbeConnections();
  private readonly monitor: ConnectionMonitor;
  private readonly health: ConnectionHealth;
  private readonly servers: Servers;
  private readonly connector: Connector;
  private readonly deadlineMs: number;

  constructor({
    recycleSeconds,
    deadlineMs,
    sslFallback,
    servers,
    targetServer,
    ...options
  }: RecyclingOptions) {
    super({
      ...options,
      Client: RecyclingClient,
      min: 0,
      types: bigintAsNumber,
      connectionTimeoutMillis: Math.min(CONNECT_TIMEOUT_MS, deadlineMs),
      idleTimeoutMillis: (recycleSeconds * 1000) / 2,
      onConnect: async (client) => this.health.admit(client as RecyclingClient),
    });
    this.servers = new Servers(this.options, this.probes, servers, targetServer);
    this.servers.onPromotion = () => this.discardReplaced();
    this.health = new ConnectionHealth(recycleSeconds * 1000, deadlineMs, this.servers);
    const connect = async () => (await super.connect()) as unknown as PooledClient;
    this.connector = new Connector(connect, this.options, sslFallback, this.health, this.servers);
    this.monitor = new ConnectionMonitor(
      new BackendStates(this.options, this.probes),
      this.health,
      () => this.connector.noteUnreachable(),
    );
    this.leases = new Leases(this.options.max, this.health, this.monitor);
    this.deadlineMs = deadlineMs;
  }

  /** Whether the last attempt to get a connection succeeded. */
  get isReachable(): boolean {
    return this.connector.isReachable;
  }

  /** Called when the database became unreachable. */
  set onUnreachable(listener: () => void) {
    this.connector.onUnreachable = listener;
  }

  /** Whether the primary tells its timeline. */
  get reportsHistory(): boolean {
    return this.servers.hasHistory;
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(callback: ConnectCallback): void;
  override connect(callback?: ConnectCallback): Promise<pg.PoolClient> | void {
    if (!callback) return this.checkOut();
    void this.passClientTo(callback);
  }

  private async passClientTo(callback: ConnectCallback): Promise<void> {
    let client: PooledClient;
    try {
      client = await this.checkOut();
    } catch (error) {
      return callback(error as Error, undefined, () => undefined);
    }
    return callback(undefined, client, (error) => client.release(error as Error));
  }

  /**
   * Checks out a connection, which the caller must release. `deadline` is that of the caller's work.
   * @throws {DeadlineExceededError} if no connection was available in time.
   * @throws {QueueFullError} if too many callers are waiting.
   * @throws {ConnectionRejectedError} if the database rejects the connection.
   */
  async checkOut(
    deadline: Deadline = currentDeadline() ?? deadlineIn(this.deadlineMs),
  ): Promise<PooledClient> {
    if (this.connector.isAborted) throw new DeadlineExceededError();
    this.servers.noteUse();
    const handedOff = await this.leases.acquire(deadline.endsAt - Date.now());
    return this.leases.lend(handedOff ?? (await this.acquireHealthy(deadline.endsAt)), deadline);
  }

  /**
   * Rejects all work, and closes the connections that are not idle: those that are checked out, and those that are
   * opened or validated for a caller. For a service that must end.
   */
  abort(): void {
    const reason = new DeadlineExceededError();
    this.connector.isAborted = true;
    this.leases.rejectAll(reason);
    this.probes.discardAll(reason);
    const { _clients, _idle } = this as unknown as PgPoolInternals;
    const idle = new Set(_idle.map(({ client }) => client));
    for (const client of _clients) if (!idle.has(client)) client.discard(reason);
  }

  /** Closes the pool. After a second it closes the connections that are still checked out. */
  override end(): Promise<void>;
  override end(callback: () => void): void;
  override end(callback?: () => void): Promise<void> | void {
    this.servers.stopWatching();
    const timer = setTimeout(() => this.abort(), END_TIMEOUT_MS);
    const ended = super.end().finally(() => {
      clearTimeout(timer);
      this.probes.discardAll(new Error('The pool was closed.'));
    });
    return callback ? void ended.finally(callback) : ended;
  }

  private async acquireHealthy(endsAt: number): Promise<Lease> {
    const connecting = this.connector.connectUntil(endsAt);
    try {
      const client = await settleBy(endsAt, connecting);
      return { client, returnToPool: client.release.bind(client) };
    } catch (error) {
      if (error instanceof DeadlineExceededError) this.connector.noteUnreachable();
      // a connection that arrives too late for this caller is kept for the next one
      void connecting
        .then(
          (client) => client.release(),
          () => undefined,
        )
        .finally(() => this.leases.giveUp());
      throw error;
    }
  }

  /** What an old primary acknowledged from now on would be lost. */
  private discardReplaced(): void {
    const reason = new NotPrimaryError('another one was promoted');
    this.monitor.discard(reason, (client) => !this.servers.isCurrent(client));
  }
}

/** The pool of a connected DataSource. TypeORM exposes it to its own query runners only. */
export function poolOf({ driver }: DataSource): RecyclingPool {
  return (driver as unknown as { master: RecyclingPool }).master;
}

/** pg with this pool in place of its own, for TypeORM's option `driver`. */
export const recyclingPg: typeof pg = Object.assign(Object.create(pg) as typeof pg, {
  Pool: RecyclingPool,
});
