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
   * @throws the reason of `signal` if it aborts before.
   */
  acquire(timeoutMs: number, signal?: AbortSignal): Promise<T | undefined> {
    if (signal?.aborted) return Promise.reject(signal.reason as Error);
    if (this.availablePermits > 0) {
      this.availablePermits -= 1;
      return Promise.resolve(undefined);
    }
    if (this.queue.size >= this.maxQueueLength) {
      return Promise.reject(new QueueFullError(this.queue.size));
    }
    return this.enqueue(timeoutMs, signal);
  }

  private enqueue(timeoutMs: number, signal?: AbortSignal): Promise<T | undefined> {
    return new Promise<T | undefined>((resolve, reject) => {
      const expire = () => waiter.reject(new DeadlineExceededError());
      const timer = setTimeout(expire, roundUp(timeoutMs));
      const abort = () => waiter.reject(signal!.reason as Error);
      const stopWaiting = () => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', abort);
        this.queue.delete(waiter);
      };
      const waiter: Waiter<T> = {
        resolve: (item) => {
          stopWaiting();
          resolve(item);
        },
        reject: (reason) => {
          stopWaiting();
          reject(reason);
        },
      };
      signal?.addEventListener('abort', abort);
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
    next.resolve(item);
    return true;
  }
}
