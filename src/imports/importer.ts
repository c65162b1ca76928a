import { randomUUID } from 'node:crypto';
import type { DataSource, QueryRunner } from 'typeorm';
import type { DatabaseStartup } from '../database/database-startup.js';
import type { RowSource } from '../http/upload.js';
import type { ChangeCounts } from '../journal/change-counts.js';
import type { BulkJournal } from '../journal/bulk-journal.js';
import type { JournalTransaction } from '../journal/journal-transaction.js';
import type { WriteOptions } from '../journal/write-options.js';
import { Semaphore } from '../pool/semaphore.js';
import type { Search } from '../search/search.js';
import { describeUpload, type UploadDescription } from './describe-upload.js';
import type { ImportOptions } from './import-options.js';
import type { ImportRules } from './import-rules.js';
import { mergeSql, selectStagedSql, type Resolution } from './merge.js';
import { parseRows } from './parse-rows.js';
import { InvalidUploadError, RowErrors } from './row-errors.js';
import { stageRows } from './staging.js';
import { validateStaged } from './validate-staged.js';

const MAX_WAITING_MS = 3_600_000;

/** How many records an import created, updated and left unchanged. */
export type ImportCounts = Omit<ChangeCounts, 'deleted'>;

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
    this.running = new Semaphore(Math.ceil(poolSize / 4), Infinity);
  }

  /**
   * Stores all rows. With a `resolution`, rows whose natural key exists are merged or skipped.
   * @throws {InvalidRowsError} with the issues of each invalid row.
   * @throws {InvalidUploadError} if the upload cannot be parsed, or is a file without rows.
   */
  async import(rows: RowSource, how: ImportOptions, options: WriteOptions): Promise<ImportCounts> {
    await this.database.wait();
    // all attempts have one request id, so that an import whose acknowledgement was lost is not repeated
    const retried = { ...options, requestId: options.requestId ?? randomUUID() };
    await this.running.acquire(MAX_WAITING_MS);
    try {
      const { deleted: _, ...counts } = await this.database.retry.longWork(async () =>
        how.resolution
          ? this.merge(rows, how.resolution, how, retried)
          : this.add(rows, how, retried),
      );
      this.search.renewIndex();
      return counts;
    } finally {
      this.running.release();
    }
  }

  /** How an upload is understood. The errors are those of `import`. */
  async describe(rows: RowSource, how: ImportOptions): Promise<UploadDescription> {
    return describeUpload(rows, this.rules, how);
  }

  private async merge(
    rows: RowSource,
    resolution: Resolution,
    how: ImportOptions,
    options: WriteOptions,
  ) {
    const intent = { ...intentOf(rows, how), resolution };
    return this.transaction.run(options, async (manager) => {
      const offered = await this.stage(manager.queryRunner!, rows, how);
      const change = mergeSql(this.rules, resolution);
      return this.journal.applyMany(manager, options, intent, { change, offered });
    });
  }

  private async add(
    rows: RowSource,
    how: ImportOptions,
    options: WriteOptions,
  ): Promise<ChangeCounts> {
    return this.dataSource.transaction(async ({ queryRunner }) => {
      const staging = queryRunner!;
      const count = await this.stage(staging, rows, how, this.rules.table);
      if (!count) return { inserted: 0, updated: 0, deleted: 0, skipped: 0 };
      const select = selectStagedSql(this.rules);
      return this.journal.createMany(options, intentOf(rows, how), { staging, select, count });
    });
  }

  /** Returns the number of valid rows in the staging table. */
  private async stage(
    runner: QueryRunner,
    source: RowSource,
    how: ImportOptions,
    numberedBy?: string,
  ): Promise<number> {
    const rowErrors = new RowErrors();
    const bytes = source.open();
    // an error before the first read is reported by the read
    bytes.on('error', () => undefined);
    try {
      const rows = await parseRows(source, bytes, this.rules, how, rowErrors);
      const count = await stageRows(runner, this.rules.columns, rows, numberedBy);
      await validateStaged(runner, this.rules, rows, rowErrors);
      rowErrors.throwIfAny();
      if (!count) rejectEmptyFile(source);
      return count;
    } finally {
      bytes.destroy();
    }
  }
}

/** What a repeated request must have in common with the first one. Its members are stored as a hash. */
function intentOf({ fingerprint, mediaType, charset }: RowSource, how: ImportOptions): object {
  const { columns, nullText } = how;
  return { import: fingerprint, as: mediaType, charset, columns, nullText };
}

/** PostgREST accepts an empty array. A file without rows is more likely a mistake. */
function rejectEmptyFile({ mediaType }: RowSource): void {
  if (mediaType === 'application/json') return;
  throw new InvalidUploadError('There are no rows; nothing was stored.');
}
