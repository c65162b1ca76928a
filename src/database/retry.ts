import { setTimeout as wait } from 'node:timers/promises';
import { environment } from '../environment.js';
import { currentPatience, DeadlinePassed, withinDeadline, withLongStatements } from './deadline.js';
import { isDatabaseAway } from './failures.js';
import { QueueFull } from './slots.js';

const [FIRST_PAUSE_MS, LONGEST_PAUSE_MS] = [5, 250];
const PATIENCE_MS = 3_600_000;

/**
 * Does work again whose connection died, while there is time. The work has to be one that may be done
 * twice: a read, or a write that collides with itself.
 */
export async function retryWhileAway<T>(
  work: () => Promise<T>,
  isTooLate: () => boolean = () => false,
  endsAt = currentPatience()?.endsAt ?? Infinity,
): Promise<T> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    try {
      return await work();
    } catch (error) {
      const jitteredMs = pauseMs * (0.5 + Math.random() / 2);
      const isLate = isTooLate() || Date.now() + jitteredMs > endsAt;
      if (isLate || !isWorthAnotherTry(error)) throw error;
      await wait(jitteredMs);
    }
  }
}

/** The same for work that nobody may cut short: every attempt has the whole deadline to find the database in. */
export async function retryPatiently<T>(
  attempt: () => Promise<T>,
  isTooLate?: () => boolean,
): Promise<T> {
  return withinDeadline(PATIENCE_MS, async () =>
    retryWhileAway(async () => withinDeadline(environment.deadlineMs, attempt), isTooLate),
  );
}

/** The same for work with statements that take minutes. */
export async function retryLongWork<T>(attempt: () => Promise<T>): Promise<T> {
  return retryPatiently(async () => withLongStatements(environment.deadlineMs, attempt));
}

function isWorthAnotherTry(error: unknown): boolean {
  if (error instanceof DeadlinePassed || error instanceof QueueFull) return false;
  return isDatabaseAway(error);
}
