import { DeadlinePassed } from './deadline.js';

/** So many wait for a connection already that one more would wait in vain. */
export class QueueFull extends Error {
  constructor(waiting: number) {
    super(`${waiting} requests wait for a connection already.`);
  }
}

interface Waiter {
  give: () => void;
}

/** Places for so many at a time. The others wait in their order: not more than `longestQueue`, not past their deadline. */
export class Slots {
  private readonly queue = new Set<Waiter>();

  constructor(
    private free: number,
    private readonly longestQueue: number,
  ) {}

  get waitingCount(): number {
    return this.queue.size;
  }

  /**
   * @throws {QueueFull} at once where too many wait.
   * @throws {DeadlinePassed} where no place came free in time.
   */
  async take(deadlineMs: number): Promise<void> {
    if (this.free > 0) {
      this.free -= 1;
      return;
    }
    if (this.queue.size >= this.longestQueue) throw new QueueFull(this.queue.size);
    await new Promise<void>((resolve, reject) => {
      const waiter = { give: resolve };
      const giveUp = setTimeout(() => {
        this.queue.delete(waiter);
        reject(new DeadlinePassed());
      }, deadlineMs);
      waiter.give = () => {
        clearTimeout(giveUp);
        resolve();
      };
      this.queue.add(waiter);
    });
  }

  giveBack(): void {
    const [next] = this.queue;
    if (!next) {
      this.free += 1;
      return;
    }
    this.queue.delete(next);
    next.give();
  }
}
