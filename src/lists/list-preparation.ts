import type { DatabaseVersion } from '../journal/database-versions.js';
import type { ReadServer } from '../journal/read-servers.js';
import { runWithDeadline, type Deadline } from '../pool/deadline.js';
import type { SearchMatch } from '../query/statements.js';
import type { ListStatement } from './list-executor.js';
import type { ListRequest } from './list-request.js';
import type { ListSource } from './list-result.js';

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

  async statement(deadline: Deadline): Promise<ListStatement> {
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
