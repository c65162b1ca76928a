import type { DatabaseVersion } from '../journal/database-versions.js';
import type { ReadServer, ReadServers } from '../journal/read-servers.js';
import { runWithDeadline, type Deadline } from '../pool/deadline.js';
import type { SearchMatch } from '../query/statements.js';
import { ListExecutor, type ListStatement, type ListStream } from './list-executor.js';
import type { ListRequest } from './list-request.js';
import type { ListSource } from './list-result.js';

const executor = new ListExecutor();

/**
 * What a list needs before its rows are read: first its version, then the match of its search. A retry
 * does not fetch them again, so that a search of many statements succeeds on a bad network. The version
 * is one of the server that the rows are read from, and never newer than the rows, so that no list is cached under a
 * version that it does not contain.
 */
export class ListPreparation {
  private fetched?: { from: ReadServer; version: DatabaseVersion | undefined };
  private foundMatch?: SearchMatch;

  constructor(
    private readonly request: ListRequest,
    private readonly source: ListSource,
  ) {}

  /** Undefined if the list must not be cached. */
  async version(from: ReadServer, endsAt: number): Promise<DatabaseVersion | undefined> {
    if (this.fetched?.from !== from)
      this.fetched = { from, version: await fetchVersion(this.source, from, endsAt) };
    return this.fetched.version;
  }

  /** As `ReadServers.read`, on the server of the request. */
  async readOn<T>(
    servers: ReadServers,
    deadline: Deadline,
    work: (server: ReadServer, deadline: Deadline) => Promise<T>,
    discard?: (result: T) => Promise<void>,
  ): Promise<T> {
    // a search may take longer than a replica is waited for
    await this.statement(deadline);
    return servers.read(this.request.server, deadline, work, discard);
  }

  /** Opens the list on a server. The caller must close it. */
  async open({ pool }: ReadServer, signal: AbortSignal, deadline: Deadline): Promise<ListStream> {
    return executor.open(pool, await this.statement(deadline), signal, deadline);
  }

  private async statement(deadline: Deadline): Promise<ListStatement> {
    const { query, format, countMode } = this.request;
    const { relation } = this.source;
    if (query.search !== undefined) this.foundMatch ??= await this.search(query.search, deadline);
    return { query, format, countMode, source: { relation, match: this.foundMatch } };
  }

  private async search(text: string, deadline: Deadline): Promise<SearchMatch> {
    const { search, relation } = this.source;
    return runWithDeadline(deadline, async () => search.find(text, relation));
  }
}

/** The version of a source; undefined if its lists must not be cached. */
export async function fetchVersion(
  { version }: ListSource,
  { versions }: ReadServer,
  endsAt: number,
): Promise<DatabaseVersion | undefined> {
  if (version === 'latest') return versions.fetch(endsAt);
  return version === undefined ? undefined : { seq: version };
}
