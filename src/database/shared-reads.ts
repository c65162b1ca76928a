import type { Deadline } from './deadline.js';
import { Gatherer } from './gatherer.js';
import type { DatabaseOpening } from './opening.js';

/** Calls back where somebody does not wait for an answer any more. */
export type OnLeave = (leave: (reason: Error) => void) => void;

interface Asker<Answer> {
  onLeave: OnLeave;
  ask: (signal: AbortSignal, deadline: Deadline) => Promise<Answer>;
}

/**
 * One answer for all who ask the same question at once. Each question has its own gatherer, so that a
 * slow one holds up nobody else.
 */
export class SharedReads<Answer> {
  private readonly gatherers = new Map<string, Gatherer<Asker<Answer>, Answer>>();

  constructor(private readonly database: DatabaseOpening) {}

  /** `ask` is told to give up once all who wait for its answer have left. @throws {DeadlineExceeded} at `endsAt`. */
  async read(question: string, asker: Asker<Answer>, endsAt?: number): Promise<Answer> {
    const gatherer =
      this.gatherers.get(question) ?? new Gatherer<Asker<Answer>, Answer>(this.database, answerAll);
    this.gatherers.set(question, gatherer);
    try {
      return await gatherer.load(asker, endsAt);
    } finally {
      if (gatherer.isIdle) this.gatherers.delete(question);
    }
  }
}

/** A batch that is retried registers with its clients once. */
const signals = new WeakMap<object, AbortSignal>();

async function answerAll<Answer>(
  askers: readonly Asker<Answer>[],
  deadline: Deadline,
): Promise<Answer[]> {
  const allLeft = signals.get(askers) ?? whenAllLeave(askers.map(({ onLeave }) => onLeave));
  signals.set(askers, allLeft);
  const answer = await askers[0]!.ask(allLeft, deadline);
  return askers.map(() => answer);
}

/** Aborts where nobody waits any more. */
export function whenAllLeave(those: OnLeave[]): AbortSignal {
  const leaving = new AbortController();
  let present = those.length;
  const leave = (reason: Error) => {
    present -= 1;
    if (!present) leaving.abort(reason);
  };
  for (const onLeave of those) onLeave(leave);
  return leaving.signal;
}
