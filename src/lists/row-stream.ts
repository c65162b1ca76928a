import type { Semaphore } from '../pool/semaphore.js';
import type { ListStream } from './list-executor.js';

/** The rows of a long list. It uses a connection until it is closed. */
export class RowStream implements AsyncIterable<Buffer> {
  private isClosed = false;

  constructor(
    private readonly start: Buffer,
    private readonly rest: AsyncIterable<Buffer>,
    private readonly list: ListStream,
    private readonly longLists: Semaphore<void>,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    yield this.start;
    yield* this.rest;
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    try {
      await this.list.close();
    } finally {
      this.longLists.release();
    }
  }
}
