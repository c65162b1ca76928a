import type { Deadline } from '../pool/deadline.js';
import { Batcher } from './batcher.js';
import type { DatabaseStartup } from './database-startup.js';

/** Most requests are executed sooner, and need no listener for each caller. */
const WATCH_AFTER_MS = 20;

/** Reports when a caller no longer waits. */
export interface Client {
  /** Calls `listener` also if the caller no longer waits already. */
  onDisconnect: (listener: (reason: Error) => void) => void;
}

/** A caller that waits for a result. */
export interface Waiter<Result> {
  /** Without it, the caller waits until the end. */
  client?: Client;
  /** `signal` aborts when no caller waits any more. */
  execute: (signal: AbortSignal, deadline: Deadline) => Promise<Result>;
}

interface BatchedWaiter<Result> extends Waiter<Result> {
  /**
   * All callers of the batch, kept with its first waiter, because a batch that is retried has the same ones. A WeakMap
   * would keep each request of the batch until a major garbage collection.
   */
  callers?: Callers;
}

/**
 * Executes identical concurrent requests once, and gives all of them the result. Each key has a batcher of
 * its own, so that a slow request delays no others.
 */
export class RequestCoalescer<Result> {
  private readonly batchers = new Map<string, Batcher<BatchedWaiter<Result>, Result>>();

  constructor(private readonly database: DatabaseStartup) {}

  /** @throws {DeadlineExceededError} at `endsAt`. */
  async read(key: string, waiter: Waiter<Result>, endsAt?: number): Promise<Result> {
    const batcher = this.batchers.get(key) ?? this.addBatcher(key);
    try {
      return await batcher.load(waiter, endsAt);
    } finally {
      if (batcher.isIdle) this.batchers.delete(key);
    }
  }

  private addBatcher(key: string): Batcher<BatchedWaiter<Result>, Result> {
    const batcher = new Batcher<BatchedWaiter<Result>, Result>(this.database, executeOnce, 'list');
    this.batchers.set(key, batcher);
    return batcher;
  }
}

async function executeOnce<Result>(
  waiters: readonly BatchedWaiter<Result>[],
  deadline: Deadline,
): Promise<Result[]> {
  const first = waiters[0]!;
  const callers = (first.callers ??= new Callers(waiters));
  const timer = setTimeout(() => callers.watch(), WATCH_AFTER_MS);
  try {
    const result = await first.execute(callers.signal, deadline);
    return waiters.map(() => result);
  } finally {
    clearTimeout(timer);
  }
}

/** The callers of a batch. Its `signal` aborts when all of them have disconnected. */
class Callers {
  private readonly controller = new AbortController();
  private isWatched = false;

  constructor(private readonly waiters: readonly { client?: Client }[]) {}

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Listens once, however often it is called. */
  watch(): void {
    if (this.isWatched) return;
    this.isWatched = true;
    let remaining = this.waiters.length;
    for (const { client } of this.waiters) {
      client?.onDisconnect((reason) => {
        remaining -= 1;
        if (!remaining) this.controller.abort(reason);
      });
    }
  }
}
