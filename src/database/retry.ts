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
  let readOnlyEndsAt = endsAt;
  for (let delayMs = MIN_DELAY_MS; ; delayMs = Math.min(2 * delayMs, MAX_DELAY_MS)) {
    try {
      return await work();
    } catch (error) {
      const next = Date.now() + delayMs * (0.5 + Math.random() / 2);
      const isReadOnly = isReadOnlyFailure(error);
      if (isReadOnly)
        readOnlyEndsAt = Math.min(readOnlyEndsAt, Date.now() + environment.deadlineMs);
      const isLate = isTooLate() || next > (isReadOnly ? readOnlyEndsAt : endsAt);
      if (isReadOnly && (isLate || Date.now() < readOnlyUntil)) {
        noteReadOnly();
        throw new ReadOnlyDatabaseError(error);
      }
      if (isLate || !isWorthAnotherTry(error)) throw error;
      await wait(next - Date.now());
    }
  }
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
