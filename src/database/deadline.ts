import { AsyncLocalStorage } from 'node:async_hooks';

/** How long one piece of work may wait for a database that is away. */
interface Patience {
  endsAt: number;
  /** How long a connection may say nothing to what it was asked before it counts as dead. */
  silenceMs: number;
}

const patience = new AsyncLocalStorage<Patience>();

/** A third of the deadline: a connection that died in silence is given up while there is time for another. */
const SILENCES_A_DEADLINE = 3;
const LONG_SILENCE_MS = 600_000;

/** The deadline passed, and the database did not come back. */
export class DeadlinePassed extends Error {
  constructor(cause?: unknown) {
    super('The database did not come back within the deadline.', { cause });
  }
}

/** Gives `work` one deadline for all the waiting in it, however many queries it makes. */
export function withinDeadline<T>(deadlineMs: number, work: () => T): T {
  const silenceMs = deadlineMs / SILENCES_A_DEADLINE;
  return patience.run({ endsAt: Date.now() + deadlineMs, silenceMs }, work);
}

/** The same for statements that PostgreSQL may work on for minutes without a word. */
export function withLongStatements<T>(deadlineMs: number, work: () => T): T {
  return patience.run({ endsAt: Date.now() + deadlineMs, silenceMs: LONG_SILENCE_MS }, work);
}

/** What is left of the deadline of this piece of work; undefined where it has none. */
export function remainingMs(): number | undefined {
  const current = patience.getStore();
  return current && current.endsAt - Date.now();
}

/** Undefined where this piece of work has no deadline. */
export function longestSilenceMs(): number | undefined {
  return patience.getStore()?.silenceMs;
}
