import { LRUCache } from 'lru-cache';
import type { DatabaseStartup } from '../database/database-startup.js';
import { RequestCoalescer } from '../database/request-coalescer.js';
import type { Deadline } from '../pool/deadline.js';
import { Semaphore } from '../pool/semaphore.js';

/** Short, because every slow listener may hold another page in memory. */
export const PAGE_LENGTH = 250;
const MAX_CACHED_PAGES = 32;
/** Listeners with a backlog leave the other connections to requests. */
const MAX_CONCURRENT_READS = 2;

/**
 * The pages of an append-only log. Concurrent reads of one page are executed once. A full page never
 * changes, unless changes are lost, and is cached. All readers get the same array, so that it can be serialized once.
 */
export class ChangePages<Change> {
  private readonly cache = new LRUCache<number, Change[]>({ max: MAX_CACHED_PAGES });
  private readonly coalescer: RequestCoalescer<Change[]>;
  private readonly reads = new Semaphore<void>(MAX_CONCURRENT_READS, Infinity);

  /** `fetchPage` returns the first `PAGE_LENGTH` changes after `since`. */
  constructor(
    database: DatabaseStartup,
    private readonly fetchPage: (since: number, deadline: Deadline) => Promise<Change[]>,
  ) {
    this.coalescer = new RequestCoalescer(database);
  }

  /** @throws {DeadlineExceededError} if the database did not answer in time. */
  async read(since: number): Promise<Change[]> {
    const cached = this.cache.get(since);
    if (cached) return cached;
    const execute = async (_: AbortSignal, deadline: Deadline) => this.fetch(since, deadline);
    const page = await this.coalescer.read(String(since), { execute });
    if (page.length === PAGE_LENGTH) this.cache.set(since, page);
    return page;
  }

  /** Call it when changes were lost. */
  clear(): void {
    this.cache.clear();
  }

  private async fetch(since: number, deadline: Deadline): Promise<Change[]> {
    await this.reads.acquire(deadline.endsAt - Date.now());
    try {
      return await this.fetchPage(since, deadline);
    } finally {
      this.reads.release();
    }
  }
}
