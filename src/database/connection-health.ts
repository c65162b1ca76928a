import { AdaptiveTimeout } from './adaptive-timeout.js';
import type { RecyclingClient } from './recycling-client.js';

/** Connections that were opened together shall not all grow old together. */
const JITTER = 0.1;
const [MIN_PING_TIMEOUT_MS, MAX_PING_TIMEOUT_MS] = [500, 2000];

/** Why a connection is not used again. */
export type ConnectionFault = 'recycled' | 'pingsFailed';

/**
 * Judges whether a connection may be used again: by its age, by a query if it was idle, and by what
 * happened to other connections since its last response.
 */
export class ConnectionHealth {
  /** A connection failed then: those without a response since are validated before their next use. */
  private suspectBefore = 0;
  /** A connection was dead by then: those without a response since are dead too, and not even asked. */
  private deadBefore = 0;

  private readonly pingTimeout = new AdaptiveTimeout(MIN_PING_TIMEOUT_MS, MAX_PING_TIMEOUT_MS);

  constructor(private readonly recycleMs: number) {}

  isOld(client: RecyclingClient): boolean {
    return client.isOlderThan(this.recycleMs * (1 - JITTER * Math.random()));
  }

  /** Undefined if it may be used. Half a second, unless pings took longer before. */
  async findFault(client: RecyclingClient): Promise<ConnectionFault | undefined> {
    if (this.isOld(client)) return 'recycled';
    if (client.isIdleSince(this.deadBefore)) return 'pingsFailed';
    const askedAt = Date.now();
    if (await client.isAlive(this.suspectBefore, this.pingTimeout)) return undefined;
    this.noteDead(askedAt);
    return 'pingsFailed';
  }

  /** A connection has not responded since `time`. */
  noteDead(time: number): void {
    this.deadBefore = Math.max(this.deadBefore, time);
  }

  /** A connection was closed by the other side. */
  noteFailed(): void {
    this.suspectBefore = Date.now();
  }
}
