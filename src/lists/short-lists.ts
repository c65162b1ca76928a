import { LRUCache } from 'lru-cache';
import type { DatabaseStartup } from '../database/database-startup.js';
import { RequestCoalescer } from '../database/request-coalescer.js';
import type { ReadServer, ReadServers } from '../journal/read-servers.js';
import type { Deadline } from '../pool/deadline.js';
import { ListPreparation } from './list-preparation.js';
import type { ListRequest } from './list-request.js';
import type { ListResult, ListSource } from './list-result.js';
import { bufferStart } from './list-streaming.js';

interface ShortList extends ListResult {
  rows: Buffer;
}

const MAX_CACHED_LISTS = 1000;
const MAX_CACHED_BYTES = 16_777_216;

/** How long a list that did not fit into the buffer is streamed without trying to buffer it. */
const LONG_LIST_TTL_MS = 60_000;
const MAX_LONG_LISTS = 1000;

/**
 * Reads lists that fit into a buffer. One is executed once for all clients that request it at the same time, and is
 * cached until the next commit.
 */
export class ShortLists {
  private readonly coalescer: RequestCoalescer<ShortList | undefined>;
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
    database: DatabaseStartup,
    private readonly servers: ReadServers,
  ) {
    this.coalescer = new RequestCoalescer(database);
  }

  /** Undefined if the list does not fit into the buffer. */
  async read(request: ListRequest, source: ListSource): Promise<ShortList | undefined> {
    if (request.coalescingKey === undefined) return undefined;
    const key = `${request.coalescingKey} ${source.relation}`;
    if (this.knownLongLists.has(key)) return undefined;
    const preparation = new ListPreparation(request, source);
    const execute = async (signal: AbortSignal, deadline: Deadline) =>
      (await this.findCached(key, request, preparation, deadline)) ??
      this.readAndCache(key, preparation, signal, deadline);
    const waiter = { client: request.client, execute };
    const atServer = `${request.server.name} ${key}`;
    const list = await this.coalescer.read(atServer, waiter, request.deadline.endsAt);
    if (!list) this.knownLongLists.set(key, true);
    return list;
  }

  private async findCached(
    key: string,
    request: ListRequest,
    preparation: ListPreparation,
    deadline: Deadline,
  ): Promise<ShortList | undefined> {
    return this.servers.read(request.server, deadline, async (server, { endsAt }) => {
      const version = await preparation.version(server, endsAt);
      const cached = this.cache.get(`${server.name} ${key}`);
      return cached?.version?.snapshot === version?.snapshot ? cached : undefined;
    });
  }

  private async readAndCache(
    key: string,
    preparation: ListPreparation,
    signal: AbortSignal,
    deadline: Deadline,
  ): Promise<ShortList | undefined> {
    return preparation.readOn(this.servers, deadline, async (server, within) => {
      const list = await readBuffered(server, preparation, signal, within);
      if (list?.version?.snapshot) this.cache.set(`${server.name} ${key}`, list);
      return list;
    });
  }
}

async function readBuffered(
  server: ReadServer,
  preparation: ListPreparation,
  signal: AbortSignal,
  deadline: Deadline,
): Promise<ShortList | undefined> {
  const version = await preparation.version(server, deadline.endsAt);
  const list = await preparation.open(server, signal, deadline);
  try {
    const { start, isComplete } = await bufferStart(list.readRows());
    return isComplete ? { ...list.metadata, version, rows: start } : undefined;
  } finally {
    await list.close();
  }
}
