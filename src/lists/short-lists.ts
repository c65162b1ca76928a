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

/** The key of a list on a server. */
type KeyAt = (server: ReadServer) => string;

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
    const { coalescingKey, client, deadline } = request;
    if (coalescingKey === undefined) return undefined;
    const keyAt = ({ name }: ReadServer) => `${name} ${source.relation} ${coalescingKey}`;
    // one text for both maps: joining and hashing another one would cost a short list a percent
    const key = keyAt(request.server);
    if (this.knownLongLists.has(key)) return undefined;
    const preparation = new ListPreparation(request, source);
    const execute = async (signal: AbortSignal, within: Deadline) =>
      (await this.findCached(keyAt, request, preparation, within)) ??
      this.readAndCache(keyAt, preparation, signal, within);
    const list = await this.coalescer.read(key, { client, execute }, deadline.endsAt);
    if (!list) this.knownLongLists.set(key, true);
    return list;
  }

  private async findCached(
    keyAt: KeyAt,
    request: ListRequest,
    preparation: ListPreparation,
    deadline: Deadline,
  ): Promise<ShortList | undefined> {
    return this.servers.read(request.server, deadline, async (server, { endsAt }) => {
      const version = await preparation.version(server, endsAt);
      const cached = this.cache.get(keyAt(server));
      return cached?.version?.snapshot === version?.snapshot ? cached : undefined;
    });
  }

  private async readAndCache(
    keyAt: KeyAt,
    preparation: ListPreparation,
    signal: AbortSignal,
    deadline: Deadline,
  ): Promise<ShortList | undefined> {
    return preparation.readOn(this.servers, deadline, async (server, within) => {
      const list = await readBuffered(server, preparation, signal, within);
      if (list?.version?.snapshot) this.cache.set(keyAt(server), list);
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
