import type { DataSource, EntityManager } from 'typeorm';
import { ProblemError } from '../problems/problems.js';
import type { ChangeSignal } from './change-signal.js';
import type { WriteOptions } from './write-options.js';

/** They are kept in memory until they are sent. */
const MAX_DRY_RUN_RECORDS = 10_000;

/** Runs writes in transactions, and notifies the listeners of changes. */
export class JournalTransaction {
  constructor(
    private readonly dataSource: DataSource,
    private readonly signal: ChangeSignal,
  ) {}

  /** Runs a write in a transaction, which is rolled back if the write is a dry run. */
  async run<R>(options: WriteOptions, work: (manager: EntityManager) => Promise<R>): Promise<R> {
    try {
      return await this.dataSource.transaction(async (manager) => {
        const result = await work(manager);
        if (!options.dryRun) return result;
        if (options.returnsRepresentation) {
          options.dryRunRecords = await findRecords(manager, options.requestId);
        }
        throw new DryRunCompleted(result);
      });
    } catch (error) {
      if (error instanceof DryRunCompleted) return error.result as R;
      throw error;
    } finally {
      this.signal.notify();
    }
  }
}

/** The records that a request changed, as it left them. */
async function findRecords(
  manager: EntityManager,
  requestId: string | undefined,
): Promise<object[]> {
  const entries: { id: number; version: number; record: object }[] = await manager.query(
    `SELECT record_id AS id, version, record
     FROM journal_request JOIN journal ON seq BETWEEN first_seq AND last_seq
     WHERE request_id = $1 ORDER BY seq LIMIT ${MAX_DRY_RUN_RECORDS + 1}`,
    [requestId],
  );
  if (entries.length <= MAX_DRY_RUN_RECORDS)
    return entries.map(({ record, ...identity }) => ({ ...identity, ...record }));
  throw new ProblemError(
    'invalid_preference',
    `A dry run returns at most ${MAX_DRY_RUN_RECORDS} records. Send it without return=representation, or narrow the filter.`,
  );
}

/** Makes TypeORM roll back the transaction of a dry run. */
class DryRunCompleted extends Error {
  constructor(readonly result: unknown) {
    super('A dry run was completed.');
  }
}
