import type { DataSource } from 'typeorm';
import { Batcher } from '../database/batcher.js';
import type { DatabaseStartup } from '../database/database-startup.js';
import { queryPrepared } from '../database/prepared-statements.js';
import type { Deadline } from '../pool/deadline.js';
import type { Journaled, JournaledTable } from './journaled-table.js';

/** Loads records by id. Concurrent loads share one query. */
export class RecordLoader<T extends Journaled> {
  private readonly batcher: Batcher<number, T | undefined>;

  constructor(
    private readonly dataSource: DataSource,
    database: DatabaseStartup,
    private readonly table: JournaledTable,
  ) {
    this.batcher = new Batcher(
      database,
      async (ids, deadline) => this.fetchAll(ids, deadline),
      'read',
    );
  }

  /** Resolves to undefined if there is no such record. */
  load(id: number): Promise<T | undefined> {
    return this.batcher.load(id);
  }

  private async fetchAll(ids: readonly number[], deadline: Deadline): Promise<(T | undefined)[]> {
    const { name, list } = this.table;
    // records that were written without the journal have the version 0
    const sql = `SELECT id, ${list}, greatest(version, 1) AS version FROM ${name} WHERE id = ANY($1)`;
    const records = await queryPrepared<T>(this.dataSource, deadline, sql, [ids]);
    const byId = new Map(records.map((record) => [record.id, record]));
    return ids.map((id) => byId.get(id));
  }
}
