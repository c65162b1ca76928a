import { Batcher } from '../database/batcher.js';
import type { DatabaseStartup } from '../database/database-startup.js';
import { queryPreparedOn } from '../database/prepared-statements.js';
import type { Deadline } from '../pool/deadline.js';
import type { RecyclingPool } from '../pool/recycling-pool.js';
import type { Journaled, JournaledTable } from './journaled-table.js';
import type { ReadServer, ReadServers } from './read-servers.js';

/** Loads records by id. Concurrent loads from one server share one query. */
export class RecordLoader<T extends Journaled> {
  private readonly batchers = new Map<ReadServer, Batcher<number, T | undefined>>();

  constructor(
    private readonly database: DatabaseStartup,
    private readonly servers: ReadServers,
    private readonly table: JournaledTable,
  ) {}

  /** Resolves to undefined if there is no such record. */
  load(id: number, server = this.servers.primary): Promise<T | undefined> {
    return (this.batchers.get(server) ?? this.addBatcher(server)).load(id);
  }

  private addBatcher(server: ReadServer): Batcher<number, T | undefined> {
    const load = async (ids: readonly number[], deadline: Deadline) =>
      this.servers.read(server, deadline, async ({ pool }, within) =>
        this.fetchAll(pool, ids, within),
      );
    const batcher = new Batcher(this.database, load, 'read');
    this.batchers.set(server, batcher);
    return batcher;
  }

  private async fetchAll(
    pool: RecyclingPool,
    ids: readonly number[],
    deadline: Deadline,
  ): Promise<(T | undefined)[]> {
    const { name, list } = this.table;
    // records that were written without the journal have the version 0
    const sql = `SELECT id, ${list}, greatest(version, 1) AS version FROM ${name} WHERE id = ANY($1)`;
    const records = await queryPreparedOn<T>(pool, deadline, sql, [ids]);
    const byId = new Map(records.map((record) => [record.id, record]));
    return ids.map((id) => byId.get(id));
  }
}
