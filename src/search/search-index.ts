import { Logger } from '@nestjs/common';
import type { DataSource, QueryRunner } from 'typeorm';
import { withLongStatements } from '../pool/deadline.js';
import { quoteName } from '../query/columns.js';
import { normalizedTextSql } from './normalized-text.js';
import type { SearchCapabilities } from './search-capabilities.js';

/** This many rows are searched without an index within a few milliseconds. */
const MAX_UNINDEXED_ROWS = 10_000;

/** PostgreSQL 14: https://www.postgresql.org/docs/14/sql-createstatistics.html */
const FIRST_VERSION_WITH_STATISTICS = 140_000;

/** The indexes, the newest last, without those that are being built. */
const INDEXES = `
  SELECT relname AS name, indisvalid AS "isValid",
         substring(relname FROM '[0-9]+$')::integer AS "lastId"
  FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
  WHERE indrelid = $1::regclass AND relname ~ $2
    AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_create_index WHERE index_relid = indexrelid)
  ORDER BY 3`;

/** How long the parts are cached. Parts of an index that no longer exists give the same rows, slower. */
const PARTS_TTL_MS = 10_000;

interface ExistingIndex {
  name: string;
  isValid: boolean;
  lastId: number;
}

/**
 * The trigram index of the search. It covers the rows up to an id, so that imports do not maintain it:
 * updating such an index takes ten times as long as storing the rows. The rows after that id are searched
 * without it. When there are many of them, a new index is built in the background.
 */
export class SearchIndex {
  private readonly log = new Logger(SearchIndex.name);
  private renewal?: Promise<void>;
  private runner?: QueryRunner;
  private parts: string[] = [];
  private partsExpireAt = 0;

  constructor(
    private readonly dataSource: DataSource,
    readonly table: string,
    private readonly columns: string[],
    private readonly capabilities: SearchCapabilities,
    private readonly deadlineMs: number,
  ) {}

  /** Conditions in SQL for the indexed part of the table, and for the rest of it. */
  async findParts(): Promise<string[]> {
    if (Date.now() < this.partsExpireAt) return this.parts;
    const lastId = (await this.findAll()).findLast(({ isValid }) => isValid)?.lastId ?? 0;
    this.parts = [`id <= ${lastId}`, `id > ${lastId}`];
    this.partsExpireAt = Date.now() + PARTS_TTL_MS;
    return this.parts;
  }

  /** Builds a new index if there are many rows without one. Resolves when it is built. */
  async renew(): Promise<void> {
    // building an index takes longer than the deadline of the request that notices the need
    this.renewal ??= withLongStatements(this.deadlineMs, async () => this.renewOnce())
      .catch((error: unknown) => this.log.warn(`The search index was not built: ${String(error)}`))
      .finally(() => (this.renewal = undefined));
    return this.renewal;
  }

  /** Cancels a build. */
  async stop(): Promise<void> {
    const client = (await this.runner?.connect()) as { processID: number } | undefined;
    if (client) await this.dataSource.query('SELECT pg_cancel_backend($1)', [client.processID]);
    await this.renewal;
  }

  private async renewOnce(): Promise<void> {
    const indexes = await this.findAll();
    const lastIndexedId = indexes.findLast(({ isValid }) => isValid)?.lastId ?? 0;
    const [last]: { id: number | null }[] = await this.dataSource.query(
      `SELECT max(id) AS id FROM ${quoteName(this.table)}`,
    );
    const unindexedRows = (last!.id ?? 0) - lastIndexedId;
    if (!this.capabilities.trigramSchema || unindexedRows <= MAX_UNINDEXED_ROWS) return;
    this.log.log(`Building the search index up to id ${last!.id}`);
    await this.withoutLockTimeout(async (runner) => {
      await this.build(runner, last!.id!);
      for (const { name } of indexes) {
        await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS ${quoteName(name)}`);
      }
      await this.collectStatistics(runner);
    });
    this.partsExpireAt = 0;
    this.log.log('The search index is built');
  }

  private async build(runner: QueryRunner, lastId: number): Promise<void> {
    const text = normalizedTextSql(this.columns, this.capabilities);
    await runner.query(
      `CREATE INDEX CONCURRENTLY IF NOT EXISTS ${quoteName(`${this.table}_search_${lastId}`)}
       ON ${quoteName(this.table)} USING gin (${text} ${this.capabilities.trigramSchema}.gin_trgm_ops)
       WHERE id <= ${lastId}`,
    );
  }

  /** The planner does not use the statistics of a partial index. */
  private async collectStatistics(runner: QueryRunner): Promise<void> {
    const [server] = (await runner.query('SHOW server_version_num')) as Record<string, string>[];
    if (Number(server!.server_version_num) >= FIRST_VERSION_WITH_STATISTICS) {
      await runner.query(
        `CREATE STATISTICS IF NOT EXISTS ${quoteName(`${this.table}_search`)}
         ON (${normalizedTextSql(this.columns, this.capabilities)}) FROM ${quoteName(this.table)}`,
      );
    }
    await runner.query(`ANALYZE ${quoteName(this.table)}`);
  }

  /** CREATE INDEX CONCURRENTLY waits for running transactions, which may take long. */
  private async withoutLockTimeout(work: (runner: QueryRunner) => Promise<void>): Promise<void> {
    const runner = this.dataSource.createQueryRunner();
    this.runner = runner;
    try {
      const [before] = (await runner.query('SHOW lock_timeout')) as { lock_timeout: string }[];
      await runner.query('SET lock_timeout = 0');
      try {
        await work(runner);
      } finally {
        // a lost connection needs no setting, and its error must be heard of
        if (!runner.isReleased) await runner.query(`SET lock_timeout = '${before!.lock_timeout}'`);
      }
    } finally {
      this.runner = undefined;
      await runner.release();
    }
  }

  private async findAll(): Promise<ExistingIndex[]> {
    return this.dataSource.query(INDEXES, [this.table, `^${this.table}_search_[0-9]+$`]);
  }
}
