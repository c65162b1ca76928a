import type { DatabaseStartup } from '../database/database-startup.js';
import type { DatabaseVersion } from '../journal/database-versions.js';
import type { ReadServer, ReadServers } from '../journal/read-servers.js';
import type { Deadline } from '../pool/deadline.js';
import { ListExecutor, type ListStream } from './list-executor.js';
import { fetchVersion, ListPreparation } from './list-preparation.js';
import type { ListRequest } from './list-request.js';
import type { ListResult, ListSource } from './list-result.js';

/** Opens lists on the server that has to answer a request. */
export class ListReader {
  private readonly executor = new ListExecutor();

  constructor(
    private readonly database: DatabaseStartup,
    private readonly servers: ReadServers,
  ) {}

  /** What a list says without its rows. */
  async readMetadata(request: ListRequest, source: ListSource): Promise<ListResult> {
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

  /** Undefined if the list must not be cached. */
  async readVersion(
    { server, deadline }: ListRequest,
    source: ListSource,
  ): Promise<DatabaseVersion | undefined> {
    return this.servers.read(server, deadline, async (from, { endsAt }) =>
      fetchVersion(source, from, endsAt),
    );
  }

  /** Runs work on the server of a request; on the primary if that one does not answer in time. */
  async readOn<T>(
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

  /** The caller closes the list. */
  async open(
    { pool }: ReadServer,
    preparation: ListPreparation,
    signal: AbortSignal,
    deadline: Deadline,
  ): Promise<ListStream> {
    return this.executor.open(pool, await preparation.statement(deadline), signal, deadline);
  }

  async retry<T>({ deadline }: ListRequest, work: () => Promise<T>): Promise<T> {
    return this.database.withRetryUntil(deadline.endsAt, work);
  }
}
