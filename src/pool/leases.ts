import type { ConnectionHealth } from './connection-health.js';
import type { ConnectionMonitor } from './connection-monitor.js';
import type { Deadline } from './deadline.js';
import type { Lease, PooledClient } from './pool-types.js';
import { Semaphore } from './semaphore.js';

const MAX_WAITING_PER_CONNECTION = 100;
/** How long connections are kept for the next caller. */
const KEEP_MS = 250;

/**
 * Lends connections to callers, in their order, and monitors them meanwhile. A healthy connection that is returned is
 * kept for the next caller for a moment, because the way through the pool costs more than a small statement.
 */
export class Leases {
  private readonly semaphore: Semaphore<Lease>;
  private timer?: NodeJS.Timeout;

  constructor(
    max: number,
    private readonly health: ConnectionHealth,
    private readonly monitor: ConnectionMonitor,
  ) {
    this.semaphore = new Semaphore<Lease>(max, max * MAX_WAITING_PER_CONNECTION);
  }

  /** The number of callers that wait for a connection. */
  get queueLength(): number {
    return this.semaphore.queueLength;
  }

  /** The number of connections that are kept for the next caller. */
  get keptCount(): number {
    return this.semaphore.itemCount;
  }

  /**
   * Resolves when a connection may be lent: that of another caller, or undefined.
   * @throws {DeadlineExceededError} after `timeoutMs`.
   * @throws {QueueFullError} if too many callers are waiting.
   */
  async acquire(timeoutMs: number): Promise<Lease | undefined> {
    const lease = await this.semaphore.acquire(timeoutMs);
    if (!lease || this.health.canBeCheckedOut(lease.client, KEEP_MS)) return lease;
    lease.returnToPool(lease.client.isDirty);
    return undefined;
  }

  /** Call it if there is no connection to lend after `acquire`. */
  giveUp(): void {
    this.semaphore.release();
  }

  /** Returns the connections to the pool that are kept. */
  returnKept(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    for (const { client, returnToPool } of this.semaphore.takeItems()) returnToPool(client.isDirty);
  }

  /** Rejects all callers that wait. */
  rejectAll(reason: Error): void {
    this.semaphore.rejectAll(reason);
  }

  /** Returns the connection. The caller must release it. */
  lend(lease: Lease, deadline: Deadline): PooledClient {
    const { client } = lease;
    this.monitor.watch(client, deadline);
    let isReleased = false;
    client.release = (error?: Error | boolean) => {
      if (isReleased) throw new Error('The connection was released twice.');
      isReleased = true;
      this.monitor.unwatch(client);
      if (error || client.isReady || client.isClosed) return this.checkIn(lease, error);
      void this.checkInSettled(lease);
    };
    return client;
  }

  private async checkInSettled(lease: Lease): Promise<void> {
    await lease.client.settle();
    this.checkIn(lease);
  }

  private checkIn(lease: Lease, error?: Error | boolean): void {
    const { client } = lease;
    if (client.isClosed) this.health.noteFailed();
    else client.markUsed();
    if (!error && this.health.canBeKept(client)) return this.keep(lease);
    lease.returnToPool(error ?? client.isDirty);
    this.semaphore.release();
  }

  private keep(lease: Lease): void {
    this.semaphore.release(lease);
    this.timer ??= setTimeout(() => this.returnKept(), KEEP_MS);
  }
}
