import type { DataSource } from 'typeorm';
import type { Deadline } from '../database/deadline.js';
import { Gatherer } from '../database/gatherer.js';
import type { DatabaseOpening } from '../database/opening.js';
import { queryPrepared } from '../database/prepared.js';
import type { Journaled, JournaledTable } from './journaled-table.js';

/** The records of one table as they are now; those that are asked for at once are read together. */
export class Records<T extends Journaled> {
  private readonly gatherer: Gatherer<number, T | undefined>;

  constructor(
    private readonly dataSource: DataSource,
    opening: DatabaseOpening,
    private readonly table: JournaledTable,
  ) {
    this.gatherer = new Gatherer(opening, async (ids, deadline) => this.findAll(ids, deadline));
  }

  /** Undefined where there is none. */
  find(id: number): Promise<T | undefined> {
    return this.gatherer.load(id);
  }

  private async findAll(ids: readonly number[], deadline: Deadline): Promise<(T | undefined)[]> {
    const { name, list } = this.table;
    // what was written past the journal has the version 0 in the table
    const sql = `SELECT id, ${list}, greatest(version, 1) AS version FROM ${name} WHERE id = ANY($1)`;
    const records = await queryPrepared<T>(this.dataSource, deadline, sql, [ids]);
    const byId = new Map(records.map((record) => [record.id, record]));
    return ids.map((id) => byId.get(id));
  }
}
