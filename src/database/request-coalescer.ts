import type { Deadline } from '../pool/deadline.js';
import { Batcher } from './batcher.js';
import type { DatabaseStartup } from './database-startup.js';

/** Most requests are executed sooner. Watching each caller costs a short list more than a percent. */
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

/**
 * Executes identical concurrent requests once, and gives all of them the result. Each key has a batcher of
 * its own, so that a slow request delays no others.
 */
export class RequestCoalescer<Result> {
  private readonly batchers = new Map<string, Batcher<Waiter<Result>, Result>>();

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

  private addBatcher(key: string): Batcher<Waiter<Result>, Result> {
    const batcher = new Batcher<Waiter<Result>, Result>(this.database, executeOnce, 'list');
    this.batchers.set(key, batcher);
    return batcher;
  }
}

/** A batch that is retried has the same one. */
const controllers = new WeakMap<object, AbortController>();

async function executeOnce<Result>(
  waiters: readonly Waiter<Result>[],
  deadline: Deadline,
): Promise<Result[]> {
  const controller = controllers.get(waiters) ?? new AbortController();
  controllers.set(waiters, controller);
  const timer = setTimeout(abortWhenAllDisconnect, WATCH_AFTER_MS, waiters, controller);
  try {
    const result = await waiters[0]!.execute(controller.signal, deadline);
    return waiters.map(() => result);
  } finally {
    clearTimeout(timer);
  }
}

function abortWhenAllDisconnect(
  waiters: readonly { client?: Client }[],
  controller: AbortController,
): void {
  let remaining = waiters.length;
  for (const { client } of waiters) {
    client?.onDisconnect((reason) => {
      remaining -= 1;
      if (!remaining) controller.abort(reason);
    });
  }
}
