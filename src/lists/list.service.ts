import { Injectable } from '@nestjs/common';
import { LRUCache } from 'lru-cache';
import type { Settings } from '../config/settings.js';
import { InjectSettings } from '../config/settings.module.js';
import { DatabaseStartup } from '../database/database-startup.js';
import { RequestCoalescer } from '../database/request-coalescer.js';
import { knownTag } from '../http/compression.js';
import type { DatabaseVersion } from '../journal/database-versions.js';
import { ReadServers, type ReadServer } from '../journal/read-servers.js';
import type { Deadline } from '../pool/deadline.js';
import { ListExecutor, type ListStream } from './list-executor.js';
import { fetchVersion, ListPreparation } from './list-preparation.js';
import type { ListRequest } from './list-request.js';
import { etagOf, type ListResult, type ListSource } from './list-result.js';
import { bufferStart } from './list-streaming.js';
import { LongLists } from './long-lists.js';
import { RowStream } from './row-stream.js';

interface ShortList extends ListResult {
  rows: Buffer;
}

const MAX_CACHED_LISTS = 1000;
const MAX_CACHED_BYTES = 16_777_216;

/** How long a list that did not fit into the buffer is streamed without trying to buffer it. */
const LONG_LIST_TTL_MS = 60_000;
const MAX_LONG_LISTS = 1000;

/**
 * Reads lists. A short list is executed once for all clients that request it at the same time, and is
 * cached until the next commit. A long list is streamed to each client. Since the client decides how long
 * it reads, and so how long a connection is used, long lists may use a quarter of the pool only.
 */
@Injectable()
export class ListService {
  private readonly executor = new ListExecutor();
  private readonly coalescer: RequestCoalescer<ShortList | undefined>;
  private readonly longLists: LongLists;
  private readonly cache = new LRUCache<string, ShortList>({
    max: MAX_CACHED_LISTS,
    maxSize: MAX_CACHED_BYTES,
    sizeCalculation: ({ rows }, key) => rows.length + key.length,
  });
  private readonly knownLongLists = new LRUCache<string, true>({
    max: MAX_LONG_LISTS,
    ttl: LONG_LIST_TTL_MS,
  });

  constructor(
    private readonly database: DatabaseStartup,
    private readonly servers: ReadServers,
    @InjectSettings() { poolSize }: Settings,
  ) {
    this.coalescer = new RequestCoalescer(database);
    this.longLists = new LongLists(poolSize);
  }

  /**
   * @throws {DeadlineExceededError} if the database did not answer in time.
   * @throws {ProblemError} `too_many_long_lists` if no connection for long lists became free in time.
   */
  async read(request: ListRequest, source: ListSource): Promise<ListResult> {
    if (request.ifNoneMatch !== undefined) {
      const version = await this.fetchVersion(request, source);
      if (isCurrent(request, version)) return { version, isNotModified: true, cursors: {} };
    }
    if (!request.needsRows) return this.readMetadata(request, source);
    return (await this.readShort(request, source)) ?? this.readLong(request, source);
  }

  private async readMetadata(request: ListRequest, source: ListSource): Promise<ListResult> {
    const preparation = new ListPreparation(request, source);
    return this.retry(request, async () =>
      this.readOn(request, preparation, request.deadline, async (server, deadline) => {
        const version = await preparation.version(server, deadline.endsAt);
        const list = await this.open(server, preparation, request.client.signal, deadline);
        await list.close();
        return { ...list.metadata, version };
      }),
    );
  }

  /** Undefined if the list does not fit into the buffer. */
  private async readShort(
    request: ListRequest,
    source: ListSource,
  ): Promise<ShortList | undefined> {
    if (request.coalescingKey === undefined) return undefined;
    const key = `${request.coalescingKey} ${source.relation}`;
    if (this.knownLongLists.has(key)) return undefined;
    const preparation = new ListPreparation(request, source);
    const execute = async (signal: AbortSignal, deadline: Deadline) => {
      const findCached = async (server: ReadServer, { endsAt }: Deadline) => {
        const version = await preparation.version(server, endsAt);
        const cached = this.cache.get(`${server.name} ${key}`);
        return cached?.version?.snapshot === version?.snapshot ? cached : undefined;
      };
      const cached = await this.servers.read(request.server, deadline, findCached);
      if (cached) return cached;
      return this.readOn(request, preparation, deadline, async (server, within) => {
        const list = await this.readBuffered(server, preparation, signal, within);
        if (list?.version?.snapshot) this.cache.set(`${server.name} ${key}`, list);
        return list;
      });
    };
    const waiter = { client: request.client, execute };
    const atServer = `${request.server.name} ${key}`;
    const list = await this.coalescer.read(atServer, waiter, request.deadline.endsAt);
    if (!list) this.knownLongLists.set(key, true);
    return list;
  }

  private async readBuffered(
    server: ReadServer,
    preparation: ListPreparation,
    signal: AbortSignal,
    deadline: Deadline,
  ): Promise<ShortList | undefined> {
    const version = await preparation.version(server, deadline.endsAt);
    const list = await this.open(server, preparation, signal, deadline);
    try {
      const { start, isComplete } = await bufferStart(list.readRows());
      return isComplete ? { ...list.metadata, version, rows: start } : undefined;
    } finally {
      await list.close();
    }
  }

  private async readLong(request: ListRequest, source: ListSource): Promise<ListResult> {
    const release = await this.longLists.acquire(request.deadline);
    const preparation = new ListPreparation(request, source);
    try {
      return await this.retry(request, async () =>
        this.readOn(
          request,
          preparation,
          request.deadline,
          async (server, deadline) =>
            this.openStream(server, { client: request.client, deadline }, preparation, release),
          closeRows,
        ),
      );
    } catch (error) {
      release();
      throw error;
    }
  }

  /** A list that ends within the buffer is closed before it is sent. */
  private async openStream(
    server: ReadServer,
    { client, deadline }: Pick<ListRequest, 'client' | 'deadline'>,
    preparation: ListPreparation,
    release: () => void,
  ): Promise<ListResult> {
    const version = await preparation.version(server, deadline.endsAt);
    const list = await this.open(server, preparation, client.signal, deadline);
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

  private async readOn<T>(
    { server }: ListRequest,
    preparation: ListPreparation,
    deadline: Deadline,
    work: (server: ReadServer, deadline: Deadline) => Promise<T>,
    discard?: (result: T) => Promise<void>,
  ): Promise<T> {
    // a search may take longer than a replica is waited for
    await preparation.statement(deadline);
    return this.servers.read(server, deadline, work, discard);
  }

  private async fetchVersion(
    { server, deadline }: ListRequest,
    source: ListSource,
  ): Promise<DatabaseVersion | undefined> {
    return this.servers.read(server, deadline, async (from, { endsAt }) =>
      fetchVersion(source, from, endsAt),
    );
  }

  private async open(
    { pool }: ReadServer,
    preparation: ListPreparation,
    signal: AbortSignal,
    deadline: Deadline,
  ): Promise<ListStream> {
    return this.executor.open(pool, await preparation.statement(deadline), signal, deadline);
  }

  private async retry<T>({ deadline }: ListRequest, work: () => Promise<T>): Promise<T> {
    return this.database.withRetryUntil(deadline.endsAt, work);
  }
}

async function closeRows({ rows }: ListResult): Promise<void> {
  if (rows instanceof RowStream) await rows.discard();
}

function isCurrent(request: ListRequest, version: DatabaseVersion | undefined): boolean {
  if (version === undefined) return false;
  return knownTag(request.ifNoneMatch, etagOf(request, version)) !== undefined;
}
