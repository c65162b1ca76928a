import { AdaptiveTimeout } from './adaptive-timeout.js';
import { reportPoolEvent } from './pool-events.js';
import type { RecyclingClient } from './recycling-client.js';
import type { Servers } from './servers.js';
import { SessionSetup } from './session-setup.js';

/** Connections that were opened together should not all expire together. */
const JITTER = 0.1;
const [MIN_PING_TIMEOUT_MS, MAX_PING_TIMEOUT_MS] = [500, 2000];

/**
 * Sets up connections, and decides whether one can be used again: by its server, its age, by a query if it was idle, and by what
 * happened to other connections since its last response.
 */
export class ConnectionHealth {
  /** A connection failed at this time: those without a response since then are validated. */
  private suspectBefore = 0;
  /** A connection was dead at this time: those without a response since then are dead too. */
  private deadBefore = 0;

  /**
   * It follows the time that new connections take, and not failed pings: of several dead connections, each
   * would make the next ping wait longer.
   */
  private readonly pingTimeout = new AdaptiveTimeout(MIN_PING_TIMEOUT_MS, MAX_PING_TIMEOUT_MS, {
    growsOnTimeout: false,
  });

  private readonly setup: SessionSetup;

  constructor(
    private readonly maxLifetimeMs: number,
    deadlineMs: number,
    private readonly servers: Servers,
  ) {
    this.setup = new SessionSetup(deadlineMs);
  }

  /**
   * Sets up a new connection.
   * @throws {NotPrimaryError} if it leads to another server than the primary.
   */
  async admit(client: RecyclingClient): Promise<void> {
    const { state, elapsedMs } = await this.setup.run(client);
    this.pingTimeout.note(elapsedMs);
    client.history = state.history;
    client.isPooled = state.backendPid !== client.backendPid;
    this.servers.admit(state);
  }

  /** Whether a connection that was used can be used again. */
  canBeKept(client: RecyclingClient): boolean {
    return !client.isDirty && this.servers.isCurrent(client) && !this.isExpired(client);
  }

  private isExpired(client: RecyclingClient): boolean {
    return client.isOlderThan(this.maxLifetimeMs * (1 - JITTER * Math.random()));
  }

  /** Whether a connection can be used. Takes half a second at most, unless the server is slow. */
  async validate(client: RecyclingClient): Promise<boolean> {
    if (this.isExpired(client)) {
      reportPoolEvent('recycled');
      return false;
    }
    if (client.isIdleSince(this.deadBefore) || !this.servers.isCurrent(client)) return false;
    const queriedAt = Date.now();
    if (await client.isAlive(this.suspectBefore, this.pingTimeout)) return true;
    reportPoolEvent('ping_failed');
    this.noteDead(queriedAt);
    return false;
  }

  /** Records that a connection has not responded since `time`. */
  noteDead(time: number): void {
    this.deadBefore = Math.max(this.deadBefore, time);
  }

  /** Records that the other side closed a connection. */
  noteFailed(): void {
    this.suspectBefore = Date.now();
  }
}
