import type { DatabaseStartup } from '../database/database-startup.js';
import type { ReadServer, ReadServers } from '../journal/read-servers.js';
import type { Deadline } from '../pool/deadline.js';
import { Semaphore } from '../pool/semaphore.js';
import { ProblemError } from '../problems/problems.js';
import { ListPreparation } from './list-preparation.js';
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
    private readonly database: DatabaseStartup,
    private readonly servers: ReadServers,
  ) {
    this.semaphore = new Semaphore(Math.ceil(poolSize / 4), MAX_WAITING_REQUESTS);
  }

  /**
   * @throws {ProblemError} `too_many_long_lists`
   * @throws {ClientDisconnectedError} if the client leaves while it waits.
   */
  async read(request: ListRequest, source: ListSource): Promise<ListResult> {
    const release = await this.acquire(request);
    const { client, deadline } = request;
    const preparation = new ListPreparation(request, source);
    const open = async (server: ReadServer, within: Deadline) =>
      openStream(server, preparation, client.signal, within, release);
    try {
      return await this.database.withRetryUntil(deadline.endsAt, async () =>
        preparation.readOn(this.servers, deadline, open, closeRows),
      );
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
}

/** A list that ends within the buffer is closed before it is sent. */
async function openStream(
  server: ReadServer,
  preparation: ListPreparation,
  signal: AbortSignal,
  deadline: Deadline,
  release: () => void,
): Promise<ListResult> {
  const version = await preparation.version(server, deadline.endsAt);
  const list = await preparation.open(server, signal, deadline);
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

async function closeRows({ rows }: ListResult): Promise<void> {
  if (rows instanceof RowStream) await rows.discard();
}
