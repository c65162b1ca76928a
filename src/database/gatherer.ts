import { setImmediate as turnOfTheEventLoop } from 'node:timers/promises';
import { environment } from '../environment.js';
import { currentDeadline, deadlineIn, settleBy, type Deadline } from './deadline.js';
import type { DatabaseOpening } from './opening.js';

/** A group that is slow, perhaps on a connection that died, holds up who comes after it no longer than this. */
const PATIENCE_MS = 50;
/** How many groups may be under way before the next one waits for one of them. */
const GROUPS_AT_ONCE = 2;

interface Traveller<Key, Value> {
  key: Key;
  resolve: (value: Value) => void;
  reject: (reason: Error) => void;
}

type Group<Key, Value> = Traveller<Key, Value>[];

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
  private gathered: Group<Key, Value> = [];
  private readonly underWay = new Set<Group<Key, Value>>();
  private waiting = 0;
  private isLeavingSoon = false;

  constructor(
    private readonly database: DatabaseOpening,
    private readonly answer: (
      keys: readonly Key[],
      deadline: Deadline,
    ) => Promise<ArrayLike<Value | Error>>,
  ) {}

  /** Whether nobody waits for an answer. */
  get isIdle(): boolean {
    return this.waiting === 0;
  }

  /**
   * Asks for one of them. The deadline of the batch counts, and `endsAt` too: that of the work around it.
   * @throws {DeadlineExceeded} at the earlier of both.
   */
  load(key: Key, endsAt = currentDeadline()?.endsAt): Promise<Value> {
    const loaded = new Promise<Value>((resolve, reject) => {
      this.waiting += 1;
      this.gathered.push({ key, resolve, reject });
      if (this.hasRoom && !this.isLeavingSoon) this.leaveSoon();
    });
    return endsAt === undefined ? loaded : settleBy(endsAt, loaded);
  }

  private get hasRoom(): boolean {
    return this.underWay.size < GROUPS_AT_ONCE;
  }

  /** After all that came in the same turn of the event loop has been read: it comes along. */
  private leaveSoon(): void {
    this.isLeavingSoon = true;
    setImmediate(() => {
      this.isLeavingSoon = false;
      this.leave();
    });
  }

  private leave(most = this.gathered.length): void {
    if (!this.hasRoom || !this.gathered.length) return;
    void this.travel(this.gathered.splice(0, most));
  }

  private async travel(group: Group<Key, Value>): Promise<void> {
    this.underWay.add(group);
    const timer = setTimeout(() => {
      this.underWay.delete(group);
      this.leave();
    }, PATIENCE_MS);
    const answers = await this.bringBack(group);
    clearTimeout(timer);
    await this.letTheNextLeave(group);
    this.waiting -= group.length;
    for (const [place, { resolve, reject }] of group.entries()) {
      const answer = answers[place];
      if (answer instanceof Error) reject(answer);
      else resolve(answer as Value);
    }
  }

  private async bringBack(group: Group<Key, Value>): Promise<ArrayLike<Value | Error>> {
    const deadline = deadlineIn(environment.deadlineMs);
    const keys = group.map(({ key }) => key);
    try {
      const answer = async () => this.answer(keys, deadline);
      return await settleBy(deadline.endsAt, this.database.persistUntil(deadline.endsAt, answer));
    } catch (error) {
      return group.map(() => error as Error);
    }
  }

  /**
   * Answering takes longer than leaving, so the next is on its way to the database meanwhile. It takes
   * no more than its share of all who wait: a large group after a small one would leave us with nothing
   * to do while it is away, and the database after it.
   */
  private async letTheNextLeave(group: Group<Key, Value>): Promise<void> {
    this.underWay.delete(group);
    if (!this.gathered.length) return;
    this.leave(Math.ceil(this.waiting / (1 + GROUPS_AT_ONCE)));
    await turnOfTheEventLoop();
  }
}
