import { setTimeout as wait } from 'node:timers/promises';
import type pg from 'pg';
import type { ConnectionHealth } from './connection-health.js';
import {
  ConnectionRejectedError,
  isAboutEncryption,
  isDatabaseUnavailable,
} from './database-errors.js';
import { DeadlineExceededError } from './deadline.js';
import type { PooledClient } from './pool-types.js';
import type { Servers } from './servers.js';

const [MIN_DELAY_MS, MAX_DELAY_MS] = [10, 250];

/** Gets a valid connection, and retries that until a deadline. */
export class Connector {
  /** Called when the database became unreachable. */
  onUnreachable: () => void = () => undefined;
  /** No attempt begins when it is set. */
  isAborted = false;
  private reachable = false;

  constructor(
    /** Takes an idle connection of the pool, or opens one. */
    private readonly connect: () => Promise<PooledClient>,
    private readonly options: pg.PoolConfig,
    private readonly sslFallback: pg.PoolConfig['ssl'],
    private readonly health: ConnectionHealth,
    private readonly servers: Servers,
  ) {}

  /** Whether the last attempt to get a connection succeeded. */
  get isReachable(): boolean {
    return this.reachable;
  }

  /**
   * @throws {DeadlineExceededError} if the database is still unavailable at `endsAt`.
   * @throws {ConnectionRejectedError} if the database rejects the connection.
   */
  async connectUntil(endsAt: number): Promise<PooledClient> {
    for (let delayMs = MIN_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
      if (this.isAborted) throw new DeadlineExceededError();
      const { ssl } = this.options;
      try {
        const client = await this.connectOnce();
        this.reachable = true;
        if (client) return client;
        delayMs = MIN_DELAY_MS;
      } catch (error) {
        this.noteUnreachable();
        if (isAboutEncryption(error) && this.useSslFallback(ssl)) continue;
        if (!isDatabaseUnavailable(error)) throw new ConnectionRejectedError(error);
        const jitteredMs = delayMs * (0.5 + Math.random() / 2);
        const isLast = this.isAborted || Date.now() + jitteredMs > endsAt;
        if (isLast) throw new DeadlineExceededError(error);
        await Promise.all([wait(jitteredMs), this.servers.search()]);
      }
    }
  }

  noteUnreachable(): void {
    const wasReachable = this.reachable;
    this.reachable = false;
    if (wasReachable) this.onUnreachable();
  }

  /** Returns undefined if the connection had to be discarded. */
  private async connectOnce(): Promise<PooledClient | undefined> {
    const client = await this.connect();
    if (await this.health.validate(client)) return client;
    client.release(true);
    return undefined;
  }

  /** Returns false if there is no other mode to try. The mode applies to all further connections. */
  private useSslFallback(rejected: pg.PoolConfig['ssl']): boolean {
    if (this.sslFallback === undefined || rejected === this.sslFallback) return false;
    this.options.ssl = this.sslFallback;
    return true;
  }
}
