import { AsyncLocalStorage } from 'node:async_hooks';

/** Until when one piece of work waits for the database. Times are milliseconds since the epoch. */
export interface Deadline {
  /** The work is answered by then: no connection is waited for, and nothing is retried, after it. */
  endsAt: number;
  /** A statement that has no response by then is given up; `Infinity` for imports and index builds. */
  statementsEndAt: number;
  /** How long a connection may owe a response if the server cannot be asked what it is doing. */
  responseTimeoutMs: number;
}

const storage = new AsyncLocalStorage<Deadline>();
let inFlight = 0;

/** A third of the deadline, so that a dead connection leaves time for another one. */
const RESPONSE_TIMEOUTS_PER_DEADLINE = 3;
const LONG_RESPONSE_TIMEOUT_MS = 600_000;
const TIMER_STEP_MS = 50;

/** The deadline passed, and the database did not answer. */
export class DeadlineExceeded extends Error {
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

/** Runs `work` under one deadline, however many queries it makes. */
export async function withinDeadline<T>(deadlineMs: number, work: () => Promise<T>): Promise<T> {
  return runWithDeadline(deadlineIn(deadlineMs), work);
}

/** The same for statements that PostgreSQL may run for minutes: only waiting for a connection is limited. */
export async function withLongStatements<T>(
  deadlineMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const endsAt = Date.now() + deadlineMs;
  const limits = { statementsEndAt: Infinity, responseTimeoutMs: LONG_RESPONSE_TIMEOUT_MS };
  return runWithDeadline({ endsAt, ...limits }, work);
}

/** The deadline of the work that calls this; undefined if it has none. */
export function currentDeadline(): Deadline | undefined {
  return storage.getStore();
}

/** The time left of the current deadline; undefined if there is none. */
export function remainingMs(): number | undefined {
  const current = storage.getStore();
  return current && current.endsAt - Date.now();
}

/**
 * Resolves or rejects with `promise`, but not later than `endsAt`. The work behind it goes on.
 * @throws {DeadlineExceeded} if it takes longer; its cause is what `findCause` returns.
 */
export function settleBy<T>(
  endsAt: number,
  promise: Promise<T>,
  findCause: () => unknown = () => undefined,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const expire = () => reject(new DeadlineExceeded(findCause()));
    const timer = setTimeout(expire, roundUp(endsAt - Date.now()));
    // a race of promises would cost every checkout of a connection several times as much
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Node keeps a list for each length of timer: few lengths are few lists. */
export function roundUp(ms: number): number {
  return Math.ceil(ms / TIMER_STEP_MS) * TIMER_STEP_MS;
}

/** Until Node 22 an AsyncLocalStorage that was used once slows down every promise until it is disabled. */
export async function runWithDeadline<T>(deadline: Deadline, work: () => Promise<T>): Promise<T> {
  inFlight += 1;
  try {
    return await storage.run(deadline, work);
  } finally {
    inFlight -= 1;
    if (!inFlight) storage.disable();
  }
}
