import type { ConnectionHealth } from './connection-health.js';
import type { ConnectionMonitor } from './connection-monitor.js';
import type { Deadline } from './deadline.js';
import type { Lease, PooledClient } from './pool-types.js';
import { Semaphore } from './semaphore.js';

const MAX_WAITING_PER_CONNECTION = 100;

/**
 * Lends connections to callers, in their order, and monitors them meanwhile. A connection that is returned is handed
 * off to the next caller, if it is healthy.
 */
export class Leases {
  private readonly semaphore: Semaphore<Lease>;

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

  /**
   * Resolves when a connection may be lent: that of another caller, or undefined.
   * @throws {DeadlineExceededError} after `timeoutMs`.
   * @throws {QueueFullError} if too many callers are waiting.
   */
  async acquire(timeoutMs: number): Promise<Lease | undefined> {
    return this.semaphore.acquire(timeoutMs);
  }

  /** Call it if there is no connection to lend after `acquire`. */
  giveUp(): void {
    this.semaphore.release();
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
    // it has just responded, so the next caller need not validate it
    if (!error && this.health.canBeKept(client) && this.semaphore.handOff(lease)) return;
    lease.returnToPool(error ?? client.isDirty);
    this.semaphore.release();
  }
}
