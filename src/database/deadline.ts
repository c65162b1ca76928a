import { AsyncLocalStorage } from 'node:async_hooks';

/** How long one piece of work may wait for a database that is away. */
export interface Patience {
  endsAt: number;
  /** How long a connection may say nothing to what it was asked before it counts as dead. */
  silenceMs: number;
}

const patience = new AsyncLocalStorage<Patience>();
let worksUnderWay = 0;

/** A third of the deadline: a connection that died in silence is given up while there is time for another. */
const SILENCES_A_DEADLINE = 3;
const LONG_SILENCE_MS = 600_000;

/** The deadline passed, and the database did not come back. */
export class DeadlinePassed extends Error {
  constructor(cause?: unknown) {
    super('The database did not come back within the deadline.', { cause });
  }
}

/** The patience of work that begins now, for who hands it on by itself. */
export function patienceOf(deadlineMs: number): Patience {
  return { endsAt: Date.now() + deadlineMs, silenceMs: deadlineMs / SILENCES_A_DEADLINE };
}

/** Gives `work` one deadline for all the waiting in it, however many queries it makes. */
export async function withinDeadline<T>(deadlineMs: number, work: () => Promise<T>): Promise<T> {
  return withPatience(patienceOf(deadlineMs), work);
}

/** The same for statements that PostgreSQL may work on for minutes without a word. */
export async function withLongStatements<T>(
  deadlineMs: number,
  work: () => Promise<T>,
): Promise<T> {
  return withPatience({ endsAt: Date.now() + deadlineMs, silenceMs: LONG_SILENCE_MS }, work);
}

/** Undefined where this piece of work has no deadline. */
export function currentPatience(): Patience | undefined {
  return patience.getStore();
}

/** What is left of the deadline of this piece of work; undefined where it has none. */
export function remainingMs(): number | undefined {
  const current = patience.getStore();
  return current && current.endsAt - Date.now();
}

/** Until Node 22 a storage that was used once slows down every promise until it is let go. */
async function withPatience<T>(store: Patience, work: () => Promise<T>): Promise<T> {
  worksUnderWay += 1;
  try {
    return await patience.run(store, work);
  } finally {
    worksUnderWay -= 1;
    if (!worksUnderWay) patience.disable();
  }
}
