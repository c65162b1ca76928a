import type { Deadline } from '../pool/deadline.js';
import { Semaphore } from '../pool/semaphore.js';
import { ProblemError } from '../problems/problems.js';

/** How many requests may wait until a long list has been sent. */
const MAX_WAITING_REQUESTS = 1000;

/** Limits long lists to a quarter of the pool: the client decides how long one uses a connection. */
export class LongLists {
  private readonly semaphore: Semaphore<void>;

  constructor(poolSize: number) {
    this.semaphore = new Semaphore(Math.ceil(poolSize / 4), MAX_WAITING_REQUESTS);
  }

  /**
   * Returns a function that lets another long list be read. It can be called more than once.
   * @throws {ProblemError} `too_many_long_lists`
   */
  async acquire({ endsAt }: Deadline): Promise<() => void> {
    try {
      await this.semaphore.acquire(endsAt - Date.now());
    } catch {
      // whether the wait was too long or the queue full, the advice is the same
      throw new ProblemError(
        'too_many_long_lists',
        'Too many long lists are being read. Try again in a moment, or request pages with limit.',
      );
    }
    let isHeld = true;
    return () => {
      if (isHeld) this.semaphore.release();
      isHeld = false;
    };
  }
}
