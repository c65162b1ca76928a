import { DeadlineExceededError, roundUp } from './deadline.js';

/** The queue of a semaphore is full: a further waiter would not get a permit in time. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError';

  constructor(waitingCount: number) {
    super(`${waitingCount} requests are waiting already.`);
  }
}

interface Waiter<T> {
  resolve: (item?: T) => void;
  reject: (reason: Error) => void;
}

/**
 * Limits concurrent work by permits. Waiters are served in order. A permit can be handed off together with
 * an item that the next holder uses.
 */
export class Semaphore<T> {
  private readonly queue = new Set<Waiter<T>>();

  constructor(
    private availablePermits: number,
    private readonly maxQueueLength: number,
  ) {}

  get queueLength(): number {
    return this.queue.size;
  }

  /**
   * Resolves when a permit is acquired, with the item that came with it.
   * @throws {QueueFullError} immediately if the queue is full.
   * @throws {DeadlineExceededError} if no permit became available within `timeoutMs`.
   */
  acquire(timeoutMs: number): Promise<T | undefined> {
    if (this.availablePermits > 0) {
      this.availablePermits -= 1;
      return Promise.resolve(undefined);
    }
    if (this.queue.size >= this.maxQueueLength) {
      return Promise.reject(new QueueFullError(this.queue.size));
    }
    return this.enqueue(timeoutMs);
  }

  private enqueue(timeoutMs: number): Promise<T | undefined> {
    return new Promise<T | undefined>((resolve, reject) => {
      const expire = () => waiter.reject(new DeadlineExceededError());
      const timer = setTimeout(expire, roundUp(timeoutMs));
      const waiter: Waiter<T> = {
        resolve: (item) => {
          clearTimeout(timer);
          resolve(item);
        },
        reject: (reason) => {
          clearTimeout(timer);
          this.queue.delete(waiter);
          reject(reason);
        },
      };
      this.queue.add(waiter);
    });
  }

  /** Rejects all waiters. */
  rejectAll(reason: Error): void {
    for (const waiter of this.queue) waiter.reject(reason);
  }

  release(): void {
    if (!this.handOff()) this.availablePermits += 1;
  }

  /** Passes the permit, and an item, to the first waiter. Returns false if there is none. */
  handOff(item?: T): boolean {
    const [next] = this.queue;
    if (!next) return false;
    this.queue.delete(next);
    next.resolve(item);
    return true;
  }
}
