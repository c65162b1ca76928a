import { LRUCache } from 'lru-cache';
import type { Deadline } from '../database/deadline.js';
import type { DatabaseOpening } from '../database/opening.js';
import { SharedReads } from '../database/shared-reads.js';
import { Slots } from '../database/slots.js';

/** Short, because every listener that reads slowly may hold another page. */
export const PAGE_LENGTH = 250;
const CACHED_PAGES = 32;
/** Listeners with a backlog leave the other connections to requests. */
const MAX_CONCURRENT_READS = 2;

/**
 * The pages of a log that only grows, for many who follow it: a page that many need is read once. A full
 * page never changes and is cached. Everybody gets the same array, so that it can be serialised once.
 */
export class ChangePages<Change> {
  private readonly cache = new LRUCache<number, Change[]>({ max: CACHED_PAGES });
  private readonly reads: SharedReads<Change[]>;
  private readonly places = new Slots<void>(MAX_CONCURRENT_READS, Infinity);

  /** `load` reads the first `PAGE_LENGTH` changes after a number. */
  constructor(
    opening: DatabaseOpening,
    private readonly load: (since: number, deadline: Deadline) => Promise<Change[]>,
  ) {
    this.reads = new SharedReads(opening);
  }

  /** @throws {DeadlineExceeded} if the database did not answer in time. */
  async read(since: number): Promise<Change[]> {
    const cached = this.cache.get(since);
    if (cached) return cached;
    const ask = async (_: AbortSignal, deadline: Deadline) => this.loadInTurn(since, deadline);
    const page = await this.reads.read(String(since), { onLeave: () => undefined, ask });
    if (page.length === PAGE_LENGTH) this.cache.set(since, page);
    return page;
  }

  private async loadInTurn(since: number, deadline: Deadline): Promise<Change[]> {
    await this.places.take(deadline.endsAt - Date.now());
    try {
      return await this.load(since, deadline);
    } finally {
      this.places.giveBack();
    }
  }
}
