import { setTimeout as wait } from 'node:timers/promises';
import {
  isDatabaseUnavailable,
  isReadOnlyFailure,
  ReadOnlyDatabaseError,
} from '../pool/database-errors.js';
import { currentDeadline, DeadlineExceededError, withLongStatements } from '../pool/deadline.js';
import { reportPoolEvent } from '../pool/pool-events.js';
import { QueueFullError } from '../pool/semaphore.js';

const [MIN_DELAY_MS, MAX_DELAY_MS] = [5, 100];
const MAX_LONG_WORK_MS = 3_600_000;

/** After a write was rejected by a read-only database, other writes are rejected without a retry. */
const READ_ONLY_TTL_MS = 60_000;

interface RetryOptions {
  /** Whether a part of the response was sent already: the work must not be repeated then. */
  responseStarted?: () => boolean;
  /** When to give up, in milliseconds since the epoch. The default is the current deadline. */
  endsAt?: number;
}

/** Retries work whose connection failed. The work must be safe to repeat: a read, or an idempotent write. */
export class Retry {
  private readOnlyUntil = 0;

  constructor(private readonly deadlineMs: number) {}

  /** Call it if the database is read-only at startup. */
  noteReadOnly(): void {
    this.readOnlyUntil = Date.now() + READ_ONLY_TTL_MS;
  }

  /** @throws {ReadOnlyDatabaseError} if the database accepts no writes until the deadline. */
  async transient<T>(work: () => Promise<T>, options: RetryOptions = {}): Promise<T> {
    const { responseStarted, endsAt = currentDeadline()?.endsAt ?? Infinity } = options;
    const startedAt = Date.now();
    let hadConnection = false;
    for (let delayMs = MIN_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
      try {
        return await work();
      } catch (error) {
        const nextAt = Date.now() + delayMs * (0.5 + Math.random() / 2);
        const isLast = responseStarted?.() || nextAt > endsAt;
        this.rejectIfReadOnly(error, startedAt, isLast);
        // work whose connection failed had its place in the queue, and is not rejected by a full one
        const isQueuedAgain = hadConnection && error instanceof QueueFullError;
        if (isLast || !(isQueuedAgain || isTransient(error))) throw error;
        hadConnection = true;
        reportPoolEvent('retried');
        await wait(nextAt - Date.now());
      }
    }
  }

  /**
   * As `transient`, for work whose statements take minutes. Each attempt has a deadline of its own to get
   * its connections.
   */
  async longWork<T>(work: () => Promise<T>): Promise<T> {
    const attempt = async () => withLongStatements(this.deadlineMs, work);
    return this.transient(attempt, { endsAt: Date.now() + MAX_LONG_WORK_MS });
  }

  /** The first write is retried until its deadline, because another server may become the primary. */
  private rejectIfReadOnly(error: unknown, startedAt: number, isLast: boolean): void {
    if (!isReadOnlyFailure(error)) return;
    const now = Date.now();
    const isFirst = now >= this.readOnlyUntil && now - startedAt < this.deadlineMs;
    if (isFirst && !isLast) return;
    this.noteReadOnly();
    throw new ReadOnlyDatabaseError(error);
  }
}

function isTransient(error: unknown): boolean {
  if (error instanceof DeadlineExceededError || error instanceof QueueFullError) return false;
  return isDatabaseUnavailable(error);
}
