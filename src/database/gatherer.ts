import DataLoader from 'dataloader';
import { environment } from '../environment.js';
import { patienceOf, type Patience } from './deadline.js';
import type { DatabaseOpening } from './opening.js';

/** A group that is slow, perhaps on a connection that died, holds up who comes after it no longer than this. */
const PATIENCE_MS = 50;

/**
 * Lets requests for the same kind of thing travel together: while a group is under way, the next
 * gathers, and goes as soon as that one is back, before that one's answers are sent. Who comes alone
 * goes at once, and nobody joins a group that has left, so that everybody reads what was written before
 * they asked.
 *
 * `answer` gives every key its own value or its own error, in their order. A group has one deadline,
 * and goes again where its connection died: it has to be something that may be done twice.
 */
export class Gatherer<Key, Value> {
  private readonly loader: DataLoader<Key, Value>;
  private leave: () => void = () => undefined;
  private underWay = 0;
  private waiting = 0;

  constructor(
    private readonly database: DatabaseOpening,
    private readonly answer: (
      keys: readonly Key[],
      patience: Patience,
    ) => Promise<ArrayLike<Value | Error>>,
    /** How many groups may be under way before the next one waits for one of them. */
    private readonly groupsAtOnce = 2,
  ) {
    this.loader = new DataLoader(async (keys) => this.travel(keys), {
      cache: false,
      batchScheduleFn: (leave) => this.gather(leave),
    });
  }

  /** Whether nobody waits for an answer. */
  get isIdle(): boolean {
    return this.waiting === 0;
  }

  /** Asks for one of them. */
  async load(key: Key): Promise<Value> {
    this.waiting += 1;
    try {
      return await this.loader.load(key);
    } finally {
      this.waiting -= 1;
    }
  }

  private gather(leave: () => void): void {
    this.leave = leave;
    if (this.underWay < this.groupsAtOnce) this.leaveSoon();
  }

  /** After all that came in the same turn of the event loop has been read: it comes along. */
  private leaveSoon(): void {
    setImmediate(() => this.leaveNow());
  }

  private leaveNow(): void {
    const { leave } = this;
    this.leave = () => undefined;
    leave();
  }

  private async travel(keys: readonly Key[]): Promise<ArrayLike<Value | Error>> {
    this.underWay += 1;
    const patience = patienceOf(environment.deadlineMs);
    const impatience = setTimeout(() => this.leaveNow(), PATIENCE_MS);
    try {
      return await this.database.persistUntil(patience.endsAt, async () =>
        this.answer(keys, patience),
      );
    } finally {
      clearTimeout(impatience);
      this.underWay -= 1;
      this.leaveNow();
    }
  }
}
