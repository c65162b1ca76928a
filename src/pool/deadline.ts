import { AsyncLocalStorage } from 'node:async_hooks';

/** How long one piece of work waits for the database. Times are milliseconds since the epoch. */
export interface Deadline {
  /** After this time no connection is waited for, and nothing is retried. */
  endsAt: number;
  /** A statement without a response by then is abandoned. `Infinity` for imports and index builds. */
  statementsEndAt: number;
  /** How long a connection may owe a response if the server cannot be queried about it. */
  responseTimeoutMs: number;
}

const storage = new AsyncLocalStorage<() => Deadline | undefined>();
let inFlight = 0;

/** How late a request may be. Counting shorter waits, or a timer for each of them, would cost each request. */
export const DEADLINE_TOLERANCE_MS = 100;
/** A third of the deadline, so that a dead connection leaves time for another one. */
const RESPONSE_TIMEOUTS_PER_DEADLINE = 3;
const LONG_RESPONSE_TIMEOUT_MS = 600_000;
const TIMER_STEP_MS = 50;

/** The deadline passed, and the database did not answer. */
export class DeadlineExceededError extends Error {
  override readonly name = 'DeadlineExceededError';

  constructor(cause?: unknown) {
    super('The database did not answer within the deadline.', { cause });
  }
}

/** The deadline of work that starts now. */
export function deadlineIn(deadlineMs: number): Deadline {
  const endsAt = Date.now() + deadlineMs;
  const responseTimeoutMs = deadlineMs / RESPONSE_TIMEOUTS_PER_DEADLINE;
  return { endsAt, statementsEndAt: endsAt, responseTimeoutMs };
}

/** The same deadline, with a shorter wait for a connection. */
export function limitWait(deadline: Deadline, timeoutMs: number): Deadline {
  return { ...deadline, endsAt: Math.min(deadline.endsAt, Date.now() + timeoutMs) };
}

/** Runs `work` under one deadline for all of its queries. */
export async function withinDeadline<T>(deadlineMs: number, work: () => Promise<T>): Promise<T> {
  return runWithDeadline(deadlineIn(deadlineMs), work);
}

/** As `withinDeadline`. The time begins when it is asked for first: before, the body of a request may arrive. */
export async function withinDeadlineFromUse<T>(
  deadlineMs: number,
  work: () => Promise<T>,
): Promise<T> {
  let begun: Deadline | undefined;
  return runWith(() => (begun ??= deadlineIn(deadlineMs)), work);
}

/** As `withinDeadline`, for statements that may take minutes: only the wait for a connection is limited. */
export async function withLongStatements<T>(
  deadlineMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const endsAt = Date.now() + deadlineMs;
  const limits = { statementsEndAt: Infinity, responseTimeoutMs: LONG_RESPONSE_TIMEOUT_MS };
  return runWithDeadline({ endsAt, ...limits }, work);
}

/** The deadline of the calling work; undefined if it has none. */
export function currentDeadline(): Deadline | undefined {
  return storage.getStore()?.();
}

/** The time left of the current deadline; undefined if there is none. */
export function remainingMs(): number | undefined {
  const current = currentDeadline();
  return current && current.endsAt - Date.now();
}

/**
 * Settles as `promise` does, but not later than `endsAt`. The work behind the promise continues.
 * @throws {DeadlineExceededError} at `endsAt`; its cause is the result of `findCause`.
 */
export function settleBy<T>(
  endsAt: number,
  promise: Promise<T>,
  findCause: () => unknown = () => undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const expire = () => reject(new DeadlineExceededError(findCause()));
    const timer = setTimeout(expire, roundUp(endsAt - Date.now()));
    // Promise.race would cost each checkout of a connection several times as much
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Node keeps a list of timers for each duration: few durations need few lists. */
export function roundUp(ms: number): number {
  return Math.ceil(ms / TIMER_STEP_MS) * TIMER_STEP_MS;
}

export async function runWithDeadline<T>(deadline: Deadline, work: () => Promise<T>): Promise<T> {
  return runWith(() => deadline, work);
}

/**
 * What continues after `work` has no deadline. Up to Node 22, an AsyncLocalStorage that was used slows down all
 * promises until it is disabled.
 */
async function runWith<T>(findDeadline: () => Deadline, work: () => Promise<T>): Promise<T> {
  let isOver = false;
  inFlight += 1;
  try {
    return await storage.run(() => (isOver ? undefined : findDeadline()), work);
  } finally {
    isOver = true;
    inFlight -= 1;
    if (!inFlight) storage.disable();
  }
}
