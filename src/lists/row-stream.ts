import type { ListStream } from './list-executor.js';

/** The rows of a long list. It uses a connection until it is closed. */
export class RowStream implements AsyncIterable<Buffer> {
  private isClosed = false;

  constructor(
    private readonly start: Buffer,
    private readonly rest: AsyncIterable<Buffer>,
    private readonly list: ListStream,
    /** Lets another long list be read. */
    private readonly release: () => void,
  ) {}

  async *[Symbol.asyncIterator](): AsyncGenerator<Buffer> {
    yield this.start;
    yield* this.rest;
  }

  /** As `close`, to read the list again. */
  async discard(): Promise<void> {
    this.isClosed = true;
    await this.list.close();
  }

  async close(): Promise<void> {
    if (this.isClosed) return;
    this.isClosed = true;
    try {
      await this.list.close();
    } finally {
      this.release();
    }
  }
}
