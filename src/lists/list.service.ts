import { Injectable } from '@nestjs/common';
import type { Settings } from '../config/settings.js';
import { InjectSettings } from '../config/settings.module.js';
import { DatabaseStartup } from '../database/database-startup.js';
import { knownTag } from '../http/compression.js';
import type { DatabaseVersion } from '../journal/database-versions.js';
import { ReadServers, type ReadServer } from '../journal/read-servers.js';
import type { Deadline } from '../pool/deadline.js';
import { fetchVersion, ListPreparation } from './list-preparation.js';
import type { ListRequest } from './list-request.js';
import { etagOf, type ListResult, type ListSource } from './list-result.js';
import { LongLists } from './long-lists.js';
import { ShortLists } from './short-lists.js';

/** Reads lists: short ones once for all who request them, and long ones as streams. */
@Injectable()
export class ListService {
  private readonly shortLists: ShortLists;
  private readonly longLists: LongLists;

  constructor(
    private readonly database: DatabaseStartup,
    private readonly servers: ReadServers,
    @InjectSettings() { poolSize }: Settings,
  ) {
    this.shortLists = new ShortLists(database, servers);
    this.longLists = new LongLists(poolSize, database, servers);
  }

  /**
   * @throws {DeadlineExceededError} if the database did not answer in time.
   * @throws {ProblemError} `too_many_long_lists` if no connection for long lists became free in time.
   */
  async read(request: ListRequest, source: ListSource): Promise<ListResult> {
    if (request.ifNoneMatch !== undefined) {
      const version = await this.fetchCurrentVersion(request, source);
      if (isCurrent(request, version)) return { version, isNotModified: true, cursors: {} };
    }
    if (!request.needsRows) return this.readMetadata(request, source);
    const short = await this.shortLists.read(request, source);
    return short ?? this.longLists.read(request, source);
  }

  /** What a list says without its rows. */
  private async readMetadata(request: ListRequest, source: ListSource): Promise<ListResult> {
    const { client, deadline } = request;
    const preparation = new ListPreparation(request, source);
    const read = async (server: ReadServer, within: Deadline) => {
      const version = await preparation.version(server, within.endsAt);
      const list = await preparation.open(server, client.signal, within);
      await list.close();
      return { ...list.metadata, version };
    };
    return this.database.withRetryUntil(deadline.endsAt, async () =>
      preparation.readOn(this.servers, deadline, read),
    );
  }

  private async fetchCurrentVersion(
    { server, deadline }: ListRequest,
    source: ListSource,
  ): Promise<DatabaseVersion | undefined> {
    return this.servers.read(server, deadline, async (from, { endsAt }) =>
      fetchVersion(source, from, endsAt),
    );
  }
}

function isCurrent(request: ListRequest, version: DatabaseVersion | undefined): boolean {
  if (version === undefined) return false;
  return knownTag(request.ifNoneMatch, etagOf(request, version)) !== undefined;
}
