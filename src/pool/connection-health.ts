import { AdaptiveTimeout } from './adaptive-timeout.js';
import { reportPoolEvent } from './pool-events.js';
import type { RecyclingClient } from './recycling-client.js';

/** Connections that were opened together should not all expire together. */
const JITTER = 0.1;
const [MIN_PING_TIMEOUT_MS, MAX_PING_TIMEOUT_MS] = [500, 2000];

/**
 * Decides whether a connection can be used again: by its age, by a query if it was idle, and by what
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

  constructor(private readonly maxLifetimeMs: number) {}

  isExpired(client: RecyclingClient): boolean {
    return client.isOlderThan(this.maxLifetimeMs * (1 - JITTER * Math.random()));
  }

  /** Whether a connection can be used. Takes half a second at most, unless the server is slow. */
  async validate(client: RecyclingClient): Promise<boolean> {
    if (this.isExpired(client)) {
      reportPoolEvent('recycled');
      return false;
    }
    if (client.isIdleSince(this.deadBefore)) return false;
    const queriedAt = Date.now();
    if (await client.isAlive(this.suspectBefore, this.pingTimeout)) return true;
    reportPoolEvent('ping_failed');
    this.noteDead(queriedAt);
    return false;
  }

  /** Records how long the setup of a new connection took. */
  noteSetup(elapsedMs: number): void {
    this.pingTimeout.note(elapsedMs);
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
