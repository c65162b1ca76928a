import {
  currentDeadline,
  DEADLINE_TOLERANCE_MS,
  deadlineIn,
  settleBy,
  type Deadline,
} from '../pool/deadline.js';
import { reportBatch } from './batch-events.js';
import type { DatabaseStartup } from './database-startup.js';

/** A batch that takes longer, perhaps on a dead connection, no longer delays the following ones. */
const SLOW_BATCH_MS = 50;
/** How many batches are in flight before the next one waits. Slow batches do not count. */
const MAX_CONCURRENT_BATCHES = 2;

interface PendingRequest<Key, Value> {
  key: Key;
  resolve: (value: Value) => void;
  reject: (reason: Error) => void;
}

type Batch<Key, Value> = PendingRequest<Key, Value>[];

/**
 * Batches concurrent requests of one kind into one database call (compare DataLoader).
 *
 * A single request is dispatched on the next turn of the event loop. While batches are in flight, new
 * requests queue; the next batch is dispatched one turn after one returned and was answered, so that the requests
 * that arrived meanwhile join it: larger batches cost each request less. A request never joins a batch that was
 * already sent, so every caller reads all writes acknowledged before its call.
 *
 * A batch has one deadline and is retried if its connection fails, so it must be safe to repeat.
 */
export class Batcher<Key, Value> {
  private queue: Batch<Key, Value> = [];
  private readonly inFlight = new Set<Batch<Key, Value>>();
  private unansweredCount = 0;
  private isDispatchScheduled = false;

  /** `run` returns a value or an error for each key, in their order. `kind` names the batches in metrics. */
  constructor(
    private readonly database: DatabaseStartup,
    private readonly run: (
      keys: readonly Key[],
      deadline: Deadline,
    ) => Promise<ArrayLike<Value | Error>>,
    private readonly kind: string,
  ) {}

  /** Whether no request waits for an answer. */
  get isIdle(): boolean {
    return this.unansweredCount === 0;
  }

  /**
   * Loads the value of a key, at the latest at `endsAt`, and within the deadline of its batch.
   * @throws {DeadlineExceededError} at the earlier of both.
   */
  load(key: Key, endsAt = currentDeadline()?.endsAt): Promise<Value> {
    const loaded = new Promise<Value>((resolve, reject) => {
      this.unansweredCount += 1;
      this.queue.push({ key, resolve, reject });
      this.scheduleDispatch();
    });
    return this.isCoveredByBatch(endsAt) ? loaded : settleBy(endsAt!, loaded);
  }

  /** Timers for each request would cost a small one several percent. */
  private isCoveredByBatch(endsAt = Infinity): boolean {
    return endsAt + DEADLINE_TOLERANCE_MS >= Date.now() + this.database.deadlineMs;
  }

  private get hasRoom(): boolean {
    return this.inFlight.size < MAX_CONCURRENT_BATCHES;
  }

  /** Requests that arrive in the same turn of the event loop join the batch. */
  private scheduleDispatch(): void {
    if (this.isDispatchScheduled || !this.hasRoom || !this.queue.length) return;
    this.isDispatchScheduled = true;
    setImmediate(() => {
      this.isDispatchScheduled = false;
      void this.execute(this.queue.splice(0));
    });
  }

  private async execute(batch: Batch<Key, Value>): Promise<void> {
    this.inFlight.add(batch);
    const timer = setTimeout(() => {
      this.inFlight.delete(batch);
      this.scheduleDispatch();
    }, SLOW_BATCH_MS);
    reportBatch(this.kind, batch.length);
    const results = await this.runWithRetry(batch);
    clearTimeout(timer);
    this.inFlight.delete(batch);
    this.scheduleDispatch();
    this.unansweredCount -= batch.length;
    for (const [index, { resolve, reject }] of batch.entries()) {
      const result = results[index];
      if (result instanceof Error) reject(result);
      else resolve(result as Value);
    }
  }

  private async runWithRetry(batch: Batch<Key, Value>): Promise<ArrayLike<Value | Error>> {
    const deadline = deadlineIn(this.database.deadlineMs);
    const keys = batch.map(({ key }) => key);
    const work = async () => this.run(keys, deadline);
    try {
      return await settleBy(deadline.endsAt, this.database.withRetryUntil(deadline.endsAt, work));
    } catch (error) {
      return batch.map(() => error as Error);
    }
  }
}

/** A batcher whose concurrent calls, `load(true)`, share one result. */
export function shareCalls<Value>(
  database: DatabaseStartup,
  work: (deadline: Deadline) => Promise<Value>,
  kind: string,
): Batcher<true, Value> {
  const run = async (calls: readonly true[], deadline: Deadline): Promise<Value[]> => {
    const value: Value = await work(deadline);
    return calls.map(() => value);
  };
  return new Batcher<true, Value>(database, run, kind);
}
