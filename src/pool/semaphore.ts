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
 * Limits concurrent work by permits. Waiters are served in order. A permit can be released together with an
 * item that the next holder uses.
 */
export class Semaphore<T> {
  private readonly queue = new Set<Waiter<T>>();
  /** Of permits that nobody holds. */
  private readonly items: T[] = [];

  constructor(
    private availablePermits: number,
    private readonly maxQueueLength: number,
  ) {}

  get queueLength(): number {
    return this.queue.size;
  }

  get itemCount(): number {
    return this.items.length;
  }

  /**
   * Resolves when a permit is acquired, with the item that came with it.
   * @throws {QueueFullError} immediately if the queue is full.
   * @throws {DeadlineExceededError} if no permit became available within `timeoutMs`.
   */
  acquire(timeoutMs: number): Promise<T | undefined> {
    if (this.availablePermits > 0) {
      this.availablePermits -= 1;
      return Promise.resolve(this.items.pop());
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

  /** Passes the permit, and an item, to the first waiter, or to the next one. */
  release(item?: T): void {
    const [next] = this.queue;
    if (next) {
      this.queue.delete(next);
      next.resolve(item);
      return;
    }
    this.availablePermits += 1;
    if (item !== undefined) this.items.push(item);
  }

  /** Removes the items of the permits that nobody holds. */
  takeItems(): T[] {
    return this.items.splice(0);
  }
}
