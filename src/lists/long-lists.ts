import type { ReadServer } from '../journal/read-servers.js';
import { Semaphore } from '../pool/semaphore.js';
import { ProblemError } from '../problems/problems.js';
import { ListPreparation } from './list-preparation.js';
import type { ListReader } from './list-reader.js';
import type { ListRequest } from './list-request.js';
import type { ListResult, ListSource } from './list-result.js';
import { bufferStart } from './list-streaming.js';
import { RowStream } from './row-stream.js';

/** How many requests may wait until a long list has been sent. */
const MAX_WAITING_REQUESTS = 1000;

/**
 * Streams lists to their clients. Since the client decides how long it reads, and so how long a connection is used,
 * long lists may use a quarter of the pool only.
 */
export class LongLists {
  private readonly semaphore: Semaphore<void>;

  constructor(
    poolSize: number,
    private readonly reader: ListReader,
  ) {
    this.semaphore = new Semaphore(Math.ceil(poolSize / 4), MAX_WAITING_REQUESTS);
  }

  /**
   * @throws {ProblemError} `too_many_long_lists`
   * @throws {ClientDisconnectedError} if the client leaves while it waits.
   */
  async read(request: ListRequest, source: ListSource): Promise<ListResult> {
    const release = await this.acquire(request);
    const preparation = new ListPreparation(request, source);
    const open = async () =>
      this.reader.readOn(
        request,
        preparation,
        request.deadline,
        async (server, deadline) =>
          this.openStream(server, { client: request.client, deadline }, preparation, release),
        closeRows,
      );
    try {
      return await this.reader.retry(request, open);
    } catch (error) {
      release();
      throw error;
    }
  }

  /** Returns a function that lets another long list be read. It can be called more than once. */
  private async acquire({ deadline, client }: ListRequest): Promise<() => void> {
    try {
      await this.semaphore.acquire(deadline.endsAt - Date.now(), client.signal);
    } catch (error) {
      if (client.signal.aborted) throw error;
      // whether the wait was too long or the queue full, the advice is the same
      throw new ProblemError(
        'too_many_long_lists',
        'Too many long lists are being read. Try again in a moment, or request pages with limit.',
      );
    }
    let isHeld = true;
    return () => {
      if (isHeld) this.semaphore.release();
      isHeld = false;
    };
  }

  /** A list that ends within the buffer is closed before it is sent. */
  private async openStream(
    server: ReadServer,
    { client, deadline }: Pick<ListRequest, 'client' | 'deadline'>,
    preparation: ListPreparation,
    release: () => void,
  ): Promise<ListResult> {
    const version = await preparation.version(server, deadline.endsAt);
    const list = await this.reader.open(server, preparation, client.signal, deadline);
    try {
      const chunks = list.readRows();
      const { start, isComplete } = await bufferStart(chunks);
      const rows = new RowStream(start, chunks, list, release);
      if (!isComplete) list.removeDeadline();
      else await rows.close();
      return { ...list.metadata, version, rows: isComplete ? start : rows };
    } catch (error) {
      await list.close();
      throw error;
    }
  }
}

async function closeRows({ rows }: ListResult): Promise<void> {
  if (rows instanceof RowStream) await rows.discard();
}
