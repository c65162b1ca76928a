import type { EntityManager, QueryRunner } from 'typeorm';
import type { DatabaseStartup } from '../database/database-startup.js';
import { isIdTaken } from '../pool/database-errors.js';
import { ProblemError } from '../problems/problems.js';
import { backfill } from './backfill.js';
import { NOTHING_CHANGED, type ChangeCounts, type ChangeRange } from './change-counts.js';
import { copiesOf, copyBetween } from './copy-between.js';
import { advancePastRecords, MAX_ID_ATTEMPTS } from './id-sequence.js';
import { planDeletion, planUpdate, type MatchingIds } from './matching-plan.js';
import { storeRequest } from './journal-head.js';
import type { Plan } from './plan.js';
import { executePlan, type Planned } from './planned-changes.js';
import type { JournalTransaction } from './journal-transaction.js';
import type { JournaledTable } from './journaled-table.js';
import { assertPrecondition } from './precondition.js';
import { assertLatest, planRestoreBefore } from './restore-before.js';
import type { WriteOptions } from './write-options.js';
import { WriteRequest } from './write-request.js';

/** A plan, which is made when the head row is locked, and the number of records that were sent. */
export interface BulkChange {
  plan: (table: JournaledTable) => Promise<Plan>;
  offered: number;
}

/**
 * Many new records. `select` composes SQL that returns them with ids and versions, on the connection of
 * their staging table. The head row is locked then.
 */
export interface StagedRecords {
  staging: QueryRunner;
  select: () => Promise<string>;
  count: number;
}

/** Stored fingerprints are of conditions whose parameters are numbered from $4 on. They must not change. */
const FINGERPRINT_OFFSET = 3;

/** An import may wait for a lock longer than other statements: another import may hold it. */
const NO_LOCK_TIMEOUT = 'SET LOCAL lock_timeout = 0';

/** Writes many records of one table, all or none. As `Journal`, it journals every write. */
export class BulkJournal<T extends object> {
  constructor(
    private readonly database: DatabaseStartup,
    private readonly transaction: JournalTransaction,
    private readonly table: JournaledTable,
  ) {}

  /**
   * Updates the columns in `changes` of all matching records, all or none. Without changes, no record
   * matches, as in PostgREST.
   * @throws {ProblemError} `max_affected_exceeded` if there are too many, `precondition_failed` if there
   * was another change since the required one.
   */
  async updateMatching(
    matching: MatchingIds,
    changes: Partial<T>,
    options: WriteOptions,
  ): Promise<ChangeCounts> {
    if (!this.table.definedColumns(changes).names.length) return NOTHING_CHANGED;
    const { text, values } = matching(FINGERPRINT_OFFSET);
    const request = new WriteRequest(options, { updateFound: text, values, changes });
    return this.changeMatching(request, planUpdate(this.table, matching, changes));
  }

  /** As `updateMatching`, deleting the records. */
  async deleteMatching(matching: MatchingIds, options: WriteOptions): Promise<ChangeCounts> {
    const { text, values } = matching(FINGERPRINT_OFFSET);
    const request = new WriteRequest(options, { removeFound: text, values });
    return this.changeMatching(request, planDeletion(this.table, matching));
  }

  /**
   * Restores what the records were before a range of changes: records that were created are deleted.
   * @throws {ProblemError} as `updateMatching`; `future_change` if the range did not happen yet;
   * `changed_since` if one of the records was changed after it.
   */
  async restoreBefore(range: ChangeRange, options: WriteOptions): Promise<ChangeCounts> {
    const request = new WriteRequest(options, { restoreBefore: range });
    const assertAllowed = async (manager: EntityManager, seq: number) =>
      assertLatest(manager, range, seq);
    const plan = planRestoreBefore(this.table, range);
    return this.database.withLongStatements(async () =>
      this.changeMatching(request, plan, assertAllowed),
    );
  }

  private async changeMatching(
    request: WriteRequest,
    plan: Plan,
    assertAllowed?: (manager: EntityManager, seq: number) => Promise<void>,
  ): Promise<ChangeCounts> {
    return this.transaction.run(request.options, async (manager) => {
      const seq = await backfill(manager, this.table);
      const stored = await request.findStoredCounts(manager);
      if (stored) return stored;
      assertPrecondition(seq, request.options);
      await assertAllowed?.(manager, seq);
      return this.executePlan(manager, request, seq, plan);
    });
  }

  /** Executes a bulk change in the transaction of `manager`. */
  async applyMany(
    manager: EntityManager,
    options: WriteOptions,
    intent: object,
    { plan, offered }: BulkChange,
  ): Promise<ChangeCounts> {
    const request = new WriteRequest(options, intent);
    await manager.query(NO_LOCK_TIMEOUT);
    const seq = await backfill(manager, this.table);
    const stored = await request.findStoredCounts(manager);
    if (stored) return stored;
    return this.executePlan(manager, request, seq, await plan(this.table), offered);
  }

  /** Without `offered`, what was considered counts as sent. */
  private async executePlan(
    manager: EntityManager,
    request: WriteRequest,
    seq: number,
    plan: Plan,
    offered?: number,
  ): Promise<ChangeCounts> {
    const check = (planned: Planned) => assertMaxAffected(planned, request.options);
    const { total, considered, ...counts } = await executePlan(
      manager,
      this.table,
      seq,
      plan,
      check,
    );
    const skipped = (offered ?? considered) - total;
    await storeRequest(manager, request, total, skipped);
    return { ...counts, skipped };
  }

  /**
   * Creates many records, all or none. They are copied from their connection to another one: COPY stores
   * rows twice as fast as INSERT.
   */
  async createMany(
    options: WriteOptions,
    intent: object,
    { staging, select, count }: StagedRecords,
  ): Promise<ChangeCounts> {
    const request = new WriteRequest(options, intent);
    return this.transaction.run(options, async (manager) => {
      await manager.query(NO_LOCK_TIMEOUT);
      const seq = await backfill(manager, this.table);
      const stored = await request.findStoredCounts(manager);
      if (stored) return stored;
      const { records, entries } = copiesOf(this.table, await select(), seq);
      await copyBetween(staging, manager.queryRunner!, records);
      await copyBetween(staging, manager.queryRunner!, entries);
      await storeRequest(manager, request, count);
      return { ...NOTHING_CHANGED, inserted: count, range: [seq + 1, seq + count] };
    });
  }

  /**
   * Runs work that assigns ids. It is repeated with later ids if another program, or a client that chose an
   * id, stored a record under one of them meanwhile.
   */
  async withFreeIds<R>(work: () => Promise<R>): Promise<R> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await work();
      } catch (error) {
        if (!isIdTaken(error) || attempt === MAX_ID_ATTEMPTS) throw error;
        await this.transaction.run({}, async (manager) =>
          advancePastRecords(manager, this.table.name),
        );
      }
    }
  }
}

function assertMaxAffected(
  { updated, deleted, restored }: ChangeCounts,
  { maxAffected = Infinity }: WriteOptions,
): void {
  const count = updated + deleted + restored;
  if (count <= maxAffected) return;
  throw new ProblemError(
    'max_affected_exceeded',
    `${count} records would be affected, and max-affected allows ${maxAffected}. Nothing was changed.`,
  );
}
