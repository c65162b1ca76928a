import type { DataSource } from 'typeorm';
import type { DatabaseStartup } from '../database/database-startup.js';
import { ProblemError } from '../problems/problems.js';
import { backfill } from './backfill.js';
import type { ChangeSignal } from './change-signal.js';
import { createWithId } from './create-with-id.js';
import type { JournalTransaction } from './journal-transaction.js';
import { assertDeleted, findEntry } from './journal-entries.js';
import type { Journaled, JournaledTable } from './journaled-table.js';
import { storeRequest } from './journal-head.js';
import { changeTo, executeChanges, findRecords, recordOf } from './planned-changes.js';
import { assertPrecondition } from './precondition.js';
import type { WriteBatcher } from './write-batcher.js';
import type { WriteOptions } from './write-options.js';
import { WriteRequest, type Write } from './write-request.js';

/** A new record. The id is assigned, unless the client chose one. */
export type Creation<T> = Omit<Partial<T>, 'id'> & { id?: number | null };

/**
 * Writes the records of one table. Every write is journaled by the statement that executes it, so the
 * journal and the table cannot diverge.
 *
 * A write whose request id was executed before is not executed again: it returns the stored result.
 * @throws {ProblemError} `idempotency_key_reused`, from every write, if the request id was used for
 * another request.
 *
 * The hash of a request's intent is stored for ever. Its member names must not change, or a request that
 * is repeated after an upgrade would be rejected.
 */
export class Journal<T extends Journaled> {
  constructor(
    private readonly dataSource: DataSource,
    private readonly database: DatabaseStartup,
    private readonly signal: ChangeSignal,
    private readonly table: JournaledTable,
    private readonly batcher: WriteBatcher<T>,
    private readonly transaction: JournalTransaction,
  ) {}

  /**
   * Creates a record. Absent columns are null. Without an id, it gets the next one. Returns its id and its
   * version.
   * @throws {ProblemError} `already_exists` if there is a record with the id.
   */
  async create({ id, ...details }: Creation<T>, options: WriteOptions): Promise<Journaled> {
    if (id) return this.createWithId(id, details as Partial<T>, options);
    const request = new WriteRequest(options, { create: details });
    const record = await this.write({ request, operation: 'create', changes: details });
    if (options.dryRun) options.dryRunRecords = [{ ...record!, ...details }];
    return record!;
  }

  /** As `create`, with all columns in the result. */
  async createWithId(id: number, details: Partial<T>, options: WriteOptions): Promise<T> {
    const request = new WriteRequest(options, { create: { id, ...details } });
    return this.database.withRetry(async () =>
      this.transaction.run(options, async (manager) =>
        createWithId<T>(manager, this.table, request, id, details),
      ),
    );
  }

  /**
   * Updates the columns in `changes`. A record that has these values already keeps its version. Returns
   * undefined if there is no such record.
   * @throws {ProblemError} `precondition_failed` if it has none of the required versions.
   */
  async update(id: number, changes: Partial<T>, options: WriteOptions): Promise<T | undefined> {
    const request = new WriteRequest(options, { update: id, changes });
    const { names, values } = this.table.definedColumns(changes);
    if (!names.length) return this.findCurrent(id, options);
    const record = await this.write({ request, operation: 'update', id, changes });
    if (record) return record;
    const current = await this.findCurrent(id, options);
    if (!current) return undefined;
    const isUnchanged = names.every((name, index) => current[name as keyof T] === values[index]);
    // a record may have been restored meanwhile; one with the version 0 is not in the journal
    return isUnchanged && current.version > 0
      ? current
      : this.backfillAndRetry(async () => this.update(id, changes, options));
  }

  /** As `update`. Returns the record before its deletion, with the version of the deletion. */
  async remove(id: number, options: WriteOptions): Promise<T | undefined> {
    const request = new WriteRequest(options, { remove: id });
    const record = await this.write({ request, operation: 'delete', id });
    if (record) return record;
    const current = await this.findCurrent(id, options);
    return current && this.backfillAndRetry(async () => this.remove(id, options));
  }

  /**
   * Restores a deleted record, or an earlier version of a record. Returns undefined if there never was
   * such a record.
   * @throws {ProblemError} `not_deleted` without a version, if the record is not deleted; `not_found` if
   * there is no such version.
   */
  async restore(
    id: number,
    version: number | undefined,
    options: WriteOptions,
  ): Promise<T | undefined> {
    const request = new WriteRequest(options, { restore: id, version });
    return this.transaction.run(options, async (manager) => {
      const seq = await backfill(manager, this.table);
      const stored = await request.findStoredResult<T>(manager);
      if (stored) return stored;
      const latest = await findEntry(manager, id);
      if (!latest) return undefined;
      const current = latest.operation === 'delete' ? undefined : { id, ...latest.record };
      assertPrecondition(latest.version, options, current);
      const restored = version ? await findEntry(manager, id, version) : assertDeleted(latest);
      if (!restored) {
        throw new ProblemError('not_found', `There is no version ${version} of ${id}.`);
      }
      const identity = { id, version: latest.version + 1 };
      const [replaced] = await findRecords(manager, this.table, [id]);
      const change = changeTo(this.table, 'restore', identity, restored.record, replaced?.record);
      await executeChanges(manager, this.table, seq, [change]);
      await storeRequest(manager, request, 1);
      return recordOf(this.table, change) as T;
    });
  }

  /** Returns undefined if nothing was changed, by this write or by an earlier one with its request id. */
  private async write(write: Write): Promise<T | undefined> {
    const { request } = write;
    const record = request.options.dryRun
      ? await this.batcher.dryRun(write)
      : await this.batcher.write(write);
    this.signal.notify();
    return record ?? request.findStoredResult<T>(this.dataSource);
  }

  private async findCurrent(id: number, options: WriteOptions): Promise<T | undefined> {
    const { name, list } = this.table;
    const sql = `SELECT id, ${list}, version FROM ${name} WHERE id = $1`;
    const [record] = (await this.dataSource.query(sql, [id])) as T[];
    if (record) assertPrecondition(Math.max(1, record.version), options, record);
    return record;
  }

  private async backfillAndRetry<R>(retry: () => Promise<R>): Promise<R> {
    await this.dataSource.transaction(async (manager) => backfill(manager, this.table));
    return retry();
  }
}
