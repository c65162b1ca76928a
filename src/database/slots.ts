import { DeadlineExceeded, roundUp } from './deadline.js';

/** So many wait for a connection already that one more would wait in vain. */
export class QueueFull extends Error {
  constructor(waiting: number) {
    super(`${waiting} requests wait for a connection already.`);
  }
}

interface Waiter<T> {
  give: (thing?: T) => void;
  reject: (reason: Error) => void;
}

/** Places for so many at a time, each perhaps with a thing in it that the one before left. The others wait in their order: not more than `longestQueue`, not past their deadline. */
export class Slots<T> {
  private readonly queue = new Set<Waiter<T>>();

  constructor(
    private free: number,
    private readonly longestQueue: number,
  ) {}

  get waitingCount(): number {
    return this.queue.size;
  }

  /**
   * @throws {QueueFull} at once where too many wait.
   * @throws {DeadlineExceeded} where no place came free in time.
   */
  take(deadlineMs: number): Promise<T | undefined> {
    if (this.free > 0) {
      this.free -= 1;
      return Promise.resolve(undefined);
    }
    if (this.queue.size >= this.longestQueue) {
      return Promise.reject(new QueueFull(this.queue.size));
    }
    return new Promise<T | undefined>((resolve, reject) => {
      const timer = setTimeout(() => waiter.reject(new DeadlineExceeded()), roundUp(deadlineMs));
      const waiter: Waiter<T> = {
        give: (thing) => {
          clearTimeout(timer);
          resolve(thing);
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

  /** All who wait now wait in vain. */
  rejectAll(reason: Error): void {
    for (const waiter of this.queue) waiter.reject(reason);
  }

  giveBack(): void {
    if (!this.handOver()) this.free += 1;
  }

  /** Gives the place to who has waited longest, with a thing in it; false where nobody waits. */
  handOver(thing?: T): boolean {
    const [next] = this.queue;
    if (!next) return false;
    this.queue.delete(next);
    next.give(thing);
    return true;
  }
}
