import { randomUUID } from 'node:crypto';
import type { DataSource, QueryRunner } from 'typeorm';
import type { DatabaseStartup } from '../database/database-startup.js';
import type { RowSource } from '../http/upload.js';
import { NOTHING_CHANGED, type ChangeCounts } from '../journal/change-counts.js';
import type { BulkJournal } from '../journal/bulk-journal.js';
import type { JournaledTable } from '../journal/journaled-table.js';
import type { JournalTransaction } from '../journal/journal-transaction.js';
import type { WriteOptions } from '../journal/write-options.js';
import { Semaphore } from '../pool/semaphore.js';
import { ProblemError } from '../problems/problems.js';
import type { Search } from '../search/search.js';
import { describeUpload, type UploadDescription } from './describe-upload.js';
import { ID_COLUMN } from './import-columns.js';
import type { ImportOptions } from './import-options.js';
import type { ImportRules } from './import-rules.js';
import { planMerge, selectStagedSql, type Conflict } from './merge.js';
import { parseRows } from './parse-rows.js';
import type { ParsedRows } from './parsed-rows.js';
import { InvalidUploadError, RowErrors } from './row-errors.js';
import { identifiedRowsSql, rejectTakenIds, reserveIds } from './staged-ids.js';
import { stageRows } from './staging.js';
import { validateStaged } from './validate-staged.js';

const MAX_WAITING_MS = 3_600_000;
/** Each of them has a file on the disk. */
const MAX_WAITING_IMPORTS = 100;

/** How many records an import created, updated and left unchanged. */
export type ImportCounts = Omit<ChangeCounts, 'deleted' | 'restored'>;

/** Imports many rows, all or none: parse, stage, validate, apply. */
export class Importer<T extends object> {
  /** An import uses two connections as long as it runs; the others are left to requests. */
  private readonly running: Semaphore<void>;

  constructor(
    private readonly dataSource: DataSource,
    private readonly database: DatabaseStartup,
    private readonly transaction: JournalTransaction,
    private readonly journal: BulkJournal<T>,
    private readonly search: Search,
    private readonly rules: ImportRules,
    poolSize: number,
  ) {
    this.running = new Semaphore(Math.ceil(poolSize / 4), MAX_WAITING_IMPORTS);
  }

  /**
   * Stores all rows. With a `conflict`, rows whose record exists are merged or skipped.
   * @throws {InvalidRowsError} with the issues of each invalid row.
   * @throws {InvalidUploadError} if the upload cannot be parsed, or is a file without rows.
   * @throws {ProblemError} `too_many_imports` if too many others are waiting.
   */
  async import(rows: RowSource, how: ImportOptions, options: WriteOptions): Promise<ImportCounts> {
    await this.database.wait();
    // all attempts have one request id, so that an import whose acknowledgement was lost is not repeated
    const retried = options.requestId ? options : { ...options, requestId: randomUUID() };
    const { conflict } = how;
    await this.waitForOthers(how);
    try {
      const { inserted, updated, skipped, range } = await this.journal.withFreeIds(async () =>
        this.database.retry.longWork(async () =>
          conflict ? this.merge(rows, conflict, how, retried) : this.add(rows, how, retried),
        ),
      );
      this.search.renewIndex();
      return { inserted, updated, skipped, range };
    } finally {
      this.running.release();
    }
  }

  /** How an upload is understood. The errors are those of `import`. */
  async describe(rows: RowSource, how: ImportOptions): Promise<UploadDescription> {
    return describeUpload(rows, this.rules, how);
  }

  private async waitForOthers({ signal }: ImportOptions): Promise<void> {
    try {
      await this.running.acquire(MAX_WAITING_MS, signal);
    } catch (error) {
      if (signal?.aborted) throw error;
      // whether the wait was too long or the queue full, the advice is the same
      throw new ProblemError(
        'too_many_imports',
        'Too many imports are waiting. Nothing was stored. Send it again in a moment.',
      );
    }
  }

  private async merge(
    rows: RowSource,
    conflict: Conflict,
    how: ImportOptions,
    options: WriteOptions,
  ) {
    return this.transaction.run(options, async (manager) => {
      const runner = manager.queryRunner!;
      const staged = await this.stage(runner, rows, how);
      const isById = conflict.key.includes(ID_COLUMN.name);
      const plan = async (table: JournaledTable) => {
        const identified = staged.hasIds() || isById;
        const rowsSql = identified ? await this.identify(runner, staged, how, options) : undefined;
        return planMerge(manager, table, this.rules, conflict, rowsSql);
      };
      const { count: offered } = staged;
      return this.journal.applyMany(manager, options, intentOf(rows, how), { plan, offered });
    });
  }

  private async add(
    rows: RowSource,
    how: ImportOptions,
    options: WriteOptions,
  ): Promise<ChangeCounts> {
    return this.dataSource.transaction(async ({ queryRunner }) => {
      const staging = queryRunner!;
      const staged = await this.stage(staging, rows, how, this.rules.table);
      const { count } = staged;
      if (!count) return NOTHING_CHANGED;
      const select = async () =>
        staged.hasIds()
          ? this.identify(staging, staged, how, options)
          : selectStagedSql(this.rules);
      return this.journal.createMany(options, intentOf(rows, how), { staging, select, count });
    });
  }

  /** SQL for the staged rows with their ids. The head row must be locked. */
  private async identify(
    runner: QueryRunner,
    staged: ParsedRows,
    { conflict }: ImportOptions,
    { dryRun = false }: WriteOptions,
  ): Promise<string> {
    const rowErrors = new RowErrors();
    if (!conflict?.key.includes(ID_COLUMN.name)) {
      await rejectTakenIds(runner, this.rules, staged, conflict, rowErrors);
    }
    rowErrors.throwIfAny();
    return identifiedRowsSql(this.rules, await reserveIds(runner, this.rules, dryRun));
  }

  /** Returns the rows that are in the staging table, all of them valid, and their number. */
  private async stage(
    runner: QueryRunner,
    source: RowSource,
    how: ImportOptions,
    numberedBy?: string,
  ): Promise<ParsedRows & { count: number }> {
    const rowErrors = new RowErrors();
    const bytes = source.open();
    // an error before the first read is reported by the read
    bytes.on('error', () => undefined);
    try {
      const rows = await parseRows(source, bytes, this.rules, how, rowErrors);
      const count = await stageRows(runner, this.rules, rows, numberedBy);
      await validateStaged(runner, this.rules, rows, rowErrors);
      rowErrors.throwIfAny();
      if (!count) rejectEmptyFile(source);
      how.onValid?.(count);
      return { ...rows, count };
    } finally {
      bytes.destroy();
    }
  }
}

/** What a repeated request must have in common with the first one. Its members are stored as a hash. */
function intentOf({ fingerprint, mediaType, charset }: RowSource, how: ImportOptions): object {
  const { columns, nullText, conflict } = how;
  const key = conflict?.key.includes(ID_COLUMN.name) ? conflict.key : undefined;
  const { resolution } = conflict ?? {};
  return { import: fingerprint, as: mediaType, charset, columns, nullText, resolution, key };
}

/** PostgREST accepts an empty array. A file without rows is more likely a mistake. */
function rejectEmptyFile({ mediaType }: RowSource): void {
  if (mediaType === 'application/json') return;
  throw new InvalidUploadError('There are no rows; nothing was stored.');
}
