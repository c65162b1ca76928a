import { setTimeout as wait } from 'node:timers/promises';
import { environment } from '../environment.js';
import { currentDeadline, DeadlineExceeded, withLongStatements } from './deadline.js';
import { isDatabaseAway, isReadOnlyFailure, ReadOnlyDatabaseError } from './failures.js';
import { QueueFull } from './slots.js';

const [MIN_DELAY_MS, MAX_DELAY_MS] = [5, 100];
const LONGEST_WORK_MS = 3_600_000;

/** So long after a write was refused by a read-only database, others are refused without a retry. */
const READ_ONLY_FOR_MS = 60_000;
let readOnlyUntil = 0;

/** To be called if the database was read-only when it was opened. */
export function noteReadOnly(): void {
  readOnlyUntil = Date.now() + READ_ONLY_FOR_MS;
}

/**
 * Runs work, and again if its connection failed, while there is time. The work has to be safe to repeat:
 * a read, or a write that collides with itself.
 * @throws {ReadOnlyDatabaseError} if the database takes no writes until the deadline, or is known to.
 */
export async function retryWhileAway<T>(
  work: () => Promise<T>,
  isTooLate: () => boolean = () => false,
  endsAt = currentDeadline()?.endsAt ?? Infinity,
): Promise<T> {
  const startedAt = Date.now();
  let hadConnection = false;
  for (let delayMs = MIN_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
    try {
      return await work();
    } catch (error) {
      const nextAt = Date.now() + delayMs * (0.5 + Math.random() / 2);
      const isLate = isTooLate() || nextAt > endsAt;
      refuseReadOnly(error, startedAt, isLate);
      // work whose connection failed had a place in the queue before, and is not turned away now
      const isWaitingAgain = hadConnection && error instanceof QueueFull;
      if (isLate || !(isWaitingAgain || isWorthAnotherTry(error))) throw error;
      hadConnection = true;
      await wait(nextAt - Date.now());
    }
  }
}

/** A read-only database is retried once for as long as a deadline: another server may take over. */
function refuseReadOnly(error: unknown, startedAt: number, isLate: boolean): void {
  if (!isReadOnlyFailure(error)) return;
  const now = Date.now();
  if (!isLate && now >= readOnlyUntil && now - startedAt < environment.deadlineMs) return;
  noteReadOnly();
  throw new ReadOnlyDatabaseError(error);
}

/**
 * The same for work with statements that take minutes. Every attempt has the whole deadline to get its
 * connections in.
 */
export async function retryLongWork<T>(attempt: () => Promise<T>): Promise<T> {
  const endsAt = Date.now() + LONGEST_WORK_MS;
  const limited = async () => withLongStatements(environment.deadlineMs, attempt);
  return retryWhileAway(limited, undefined, endsAt);
}

function isWorthAnotherTry(error: unknown): boolean {
  if (error instanceof DeadlineExceeded || error instanceof QueueFull) return false;
  return isDatabaseAway(error);
}
