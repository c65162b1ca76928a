import type { DataSource } from 'typeorm';
import { Batcher } from '../database/batcher.js';
import type { DatabaseStartup } from '../database/database-startup.js';
import { Pipeline } from '../database/pipeline.js';
import { queryPrepared } from '../database/prepared-statements.js';
import { isDatabaseUnavailable, isIdTaken, isUniqueViolation } from '../pool/database-errors.js';
import { runWithDeadline, type Deadline } from '../pool/deadline.js';
import { Semaphore } from '../pool/semaphore.js';
import { batchInsertParameters, batchInsertPositions, batchInsertSql } from './batch-insert.js';
import { executeBatchInTransaction } from './batch-transaction.js';
import { batchUpdateParameters, batchUpdateSql } from './batch-update.js';
import { advancePastRecords, MAX_ID_ATTEMPTS, sequenceOf } from './id-sequence.js';
import type { Journaled, JournaledTable } from './journaled-table.js';
import { isCreation, keyedPositions, selectBatch } from './select-batch.js';
import {
  findStoredResults,
  type JournalPosition,
  type SqlExecutor,
  type Write,
} from './write-request.js';

const MAX_WAITING_BATCHES = 1000;

type Query = (text: string, values: unknown[]) => Promise<unknown[]>;
type Results<T> = [write: Write, result: T | Error | undefined][];

/**
 * Executes concurrent writes as one statement (group commit): they share the round trip, the lock of the
 * head row and the commit. Each of them has its own result, as if it had been executed alone.
 */
export class WriteBatcher<T extends Journaled> {
  private readonly batcher: Batcher<Write, T | undefined>;
  private readonly pipeline: Pipeline;
  private readonly texts = new Map<string, string>();
  /** While an import holds the head row, waiting batches leave half of the connections to others. */
  private readonly batches: Semaphore<void>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly database: DatabaseStartup,
    private readonly table: JournaledTable,
    poolSize: number,
  ) {
    const execute = async (writes: readonly Write[], deadline: Deadline) =>
      this.executeAll(writes, deadline);
    this.batcher = new Batcher(database, execute, 'write');
    this.pipeline = new Pipeline(dataSource);
    this.batches = new Semaphore(Math.ceil(poolSize / 2), MAX_WAITING_BATCHES);
  }

  /** Resolves to undefined if nothing was changed. */
  write(write: Write): Promise<T | undefined> {
    return this.batcher.load(write);
  }

  /** As `write`, rolled back. Resolves to undefined also if the request was executed before. */
  async dryRun(write: Write): Promise<T | undefined> {
    try {
      return await this.database.withRetry(async () => this.executeAndRollBack(write));
    } catch (error) {
      if (!isUniqueViolation(error, 'journal_request')) throw error;
      return undefined;
    }
  }

  private async executeAndRollBack(write: Write): Promise<T | undefined> {
    const runner = this.dataSource.createQueryRunner();
    try {
      await runner.startTransaction();
      const [result] = this.table.isDistributed
        ? await executeBatchInTransaction<T>(runner.manager, this.table, [write])
        : await this.executeStatement([write], async (...sql) => runner.query(...sql));
      await runner.rollbackTransaction();
      return result?.[1] as T | undefined;
    } finally {
      // the pool discards a connection that is still in its transaction
      await runner.release();
    }
  }

  private async executeAll(
    writes: readonly Write[],
    deadline: Deadline,
  ): Promise<(T | Error | undefined)[]> {
    await this.batches.acquire(deadline.endsAt - Date.now());
    try {
      const results = new Map<Write, T | Error | undefined>();
      let remaining = [...writes];
      while (remaining.length) {
        for (const [write, result] of await this.executeSome(remaining, deadline))
          results.set(write, result);
        remaining = remaining.filter((write) => !results.has(write));
      }
      return writes.map((write) => results.get(write));
    } finally {
      this.batches.release();
    }
  }

  /** Executes at least one of the writes. If a batch fails, its writes are executed one by one. */
  private async executeSome(writes: Write[], deadline: Deadline, attempt = 1): Promise<Results<T>> {
    const batch = selectBatch(writes);
    try {
      return await this.executeBatch(batch, deadline);
    } catch (error) {
      if (isDatabaseUnavailable(error)) throw error;
      if (isIdTaken(error) && attempt < MAX_ID_ATTEMPTS) {
        // also if another batch has advanced the sequence since this one was sent
        await advancePastRecords(this.executorUntil(deadline), this.table.name);
        return this.executeSome(writes, deadline, attempt + 1);
      }
      // the batch may have been executed before, and only its acknowledgement was lost
      const positions = isCreation(batch[0]!)
        ? batchInsertPositions(batch)
        : batch.map(({ request }) => request.position);
      const all = [...positions, ...keyedPositions(writes, batch)];
      const stored = await this.findStored(all, writes, deadline);
      if (stored.length) return stored;
      if (batch.length === 1) return [[batch[0]!, error as Error]];
      return this.executeEach(batch, positions, deadline);
    }
  }

  /**
   * The first write has the request id of the whole batch. If it is found to be executed, the others may
   * have been too, by an attempt whose connection was lost and that was committed meanwhile.
   */
  private async executeEach(
    [first, ...others]: Write[],
    positions: JournalPosition[],
    deadline: Deadline,
  ): Promise<Results<T>> {
    for (const { request } of [first!, ...others]) request.storeSeparately();
    const results = await this.executeSome([first!], deadline);
    const stored = await this.findStored(positions, others, deadline);
    if (stored.length) return [...results, ...stored];
    for (const write of others) results.push(...(await this.executeSome([write], deadline)));
    return results;
  }

  /** Executes all writes or none. Each must be of another record and have another request. */
  private async executeBatch(batch: Write[], deadline: Deadline): Promise<Results<T>> {
    if (!this.table.isDistributed)
      return this.executeStatement(batch, async (...sql) => this.pipeline.query(deadline, ...sql));
    return runWithDeadline(deadline, async () =>
      this.dataSource.transaction(async (manager) =>
        executeBatchInTransaction<T>(manager, this.table, batch),
      ),
    );
  }

  private async executeStatement(batch: Write[], query: Query): Promise<Results<T>> {
    const isInsert = isCreation(batch[0]!);
    const { ordered, values, readRows } = isInsert
      ? batchInsertParameters<T>(batch)
      : batchUpdateParameters<T>(batch);
    const records = readRows(await query(await this.sqlOf(isInsert, query), values));
    return ordered.map((write, index) => [write, records[index]]);
  }

  private async findStored(
    positions: JournalPosition[],
    writes: Write[],
    deadline: Deadline,
  ): Promise<Results<T>> {
    const results = await findStoredResults<T>(this.executorUntil(deadline), positions);
    return writes.flatMap((write): Results<T> => {
      const result = results.get(write.request);
      return result ? [[write, result]] : [];
    });
  }

  private executorUntil(deadline: Deadline): SqlExecutor {
    const query: SqlExecutor['query'] = async (sql, values: unknown[]) =>
      queryPrepared(this.dataSource, deadline, sql, values) as never;
    return { query };
  }

  /** The text depends on whether the server tells its timeline. */
  private async sqlOf(isInsert: boolean, query: Query): Promise<string> {
    const key = `${isInsert} ${this.table.epoch.gap}`;
    const known = this.texts.get(key);
    if (known) return known;
    const text = isInsert
      ? batchInsertSql(this.table, await sequenceOf({ query } as SqlExecutor, this.table.name))
      : batchUpdateSql(this.table);
    this.texts.set(key, text);
    return text;
  }
}
