import { Injectable } from '@nestjs/common';
import type { Settings } from '../config/settings.js';
import { InjectSettings } from '../config/settings.module.js';
import { DatabaseStartup } from '../database/database-startup.js';
import { knownTag } from '../http/compression.js';
import type { DatabaseVersion } from '../journal/database-versions.js';
import { ReadServers } from '../journal/read-servers.js';
import { ListReader } from './list-reader.js';
import type { ListRequest } from './list-request.js';
import { etagOf, type ListResult, type ListSource } from './list-result.js';
import { LongLists } from './long-lists.js';
import { ShortLists } from './short-lists.js';

/** Reads lists: short ones once for all who request them, and long ones as streams. */
@Injectable()
export class ListService {
  private readonly reader: ListReader;
  private readonly shortLists: ShortLists;
  private readonly longLists: LongLists;

  constructor(
    database: DatabaseStartup,
    servers: ReadServers,
    @InjectSettings() { poolSize }: Settings,
  ) {
    this.reader = new ListReader(database, servers);
    this.shortLists = new ShortLists(database, servers, this.reader);
    this.longLists = new LongLists(poolSize, this.reader);
  }

  /**
   * @throws {DeadlineExceededError} if the database did not answer in time.
   * @throws {ProblemError} `too_many_long_lists` if no connection for long lists became free in time.
   */
  async read(request: ListRequest, source: ListSource): Promise<ListResult> {
    if (request.ifNoneMatch !== undefined) {
      const version = await this.reader.readVersion(request, source);
      if (isCurrent(request, version)) return { version, isNotModified: true, cursors: {} };
    }
    if (!request.needsRows) return this.reader.readMetadata(request, source);
    const short = await this.shortLists.read(request, source);
    return short ?? this.longLists.read(request, source);
  }
}

function isCurrent(request: ListRequest, version: DatabaseVersion | undefined): boolean {
  if (version === undefined) return false;
  return knownTag(request.ifNoneMatch, etagOf(request, version)) !== undefined;
}
