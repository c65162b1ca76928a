import { Logger } from '@nestjs/common';
import type { DataSource, QueryRunner } from 'typeorm';
import { withLongStatements } from '../database/deadline.js';
import { environment } from '../environment.js';
import { quoteName } from '../query/columns.js';
import type { Ability } from './ability.js';
import { writeFolded } from './text-search.js';

/** So many rows are searched without an index in a few milliseconds. */
const MOST_WITHOUT = 10_000;

/** PostgreSQL 14: https://www.postgresql.org/docs/14/sql-createstatistics.html */
const FIRST_WITH_STATISTICS = 140_000;

/** Which indexes there are, the newest last, but for those that are being made right now. */
const INDEXES = `
  SELECT relname AS name, indisvalid AS "isValid",
         substring(relname FROM '[0-9]+$')::integer AS "lastId"
  FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid
  WHERE indrelid = $1::regclass AND relname ~ $2
    AND NOT EXISTS (SELECT 1 FROM pg_stat_progress_create_index WHERE index_relid = indexrelid)
  ORDER BY 3`;

interface Known {
  name: string;
  isValid: boolean;
  lastId: number;
}

/**
 * The index that searches go by. It ends at an id, so that an import does not pay for it: an index of
 * trigrams that grows row by row would take ten times as long as the rows themselves. What lies beyond
 * is searched as it is, and a further index made of it in the background once it is much.
 */
export class SearchIndex {
  private readonly log = new Logger(SearchIndex.name);
  private renewing?: Promise<void>;
  private runner?: QueryRunner;

  constructor(
    private readonly dataSource: DataSource,
    readonly table: string,
    private readonly columns: string[],
    private readonly ability: Ability,
  ) {}

  /** SQL for the parts of the table: that with an index, and that without. */
  async findParts(): Promise<string[]> {
    const lastId = (await this.findAll()).findLast(({ isValid }) => isValid)?.lastId ?? 0;
    return [`id <= ${lastId}`, `id > ${lastId}`];
  }

  /** Makes an index of all there is, if there is much without; resolves when that is done. */
  async renew(): Promise<void> {
    // whoever asked for it has a deadline, and this takes longer
    this.renewing ??= withLongStatements(environment.deadlineMs, async () => this.renewOnce())
      .catch((error: unknown) => this.log.warn(`No search index was made: ${String(error)}`))
      .finally(() => (this.renewing = undefined));
    return this.renewing;
  }

  /** Gives up what is under way. */
  async stop(): Promise<void> {
    const client = (await this.runner?.connect()) as { processID: number } | undefined;
    if (client) await this.dataSource.query('SELECT pg_cancel_backend($1)', [client.processID]);
    await this.renewing;
  }

  private async renewOnce(): Promise<void> {
    const indexes = await this.findAll();
    const lastIndexed = indexes.findLast(({ isValid }) => isValid)?.lastId ?? 0;
    const [last]: { id: number | null }[] = await this.dataSource.query(
      `SELECT max(id) AS id FROM ${quoteName(this.table)}`,
    );
    if (!this.ability.trigramSchema || (last!.id ?? 0) - lastIndexed <= MOST_WITHOUT) return;
    this.log.log(`Making the search index up to id ${last!.id}`);
    await this.withoutLockTimeout(async (runner) => {
      await this.make(runner, last!.id!);
      for (const { name } of indexes) {
        await runner.query(`DROP INDEX CONCURRENTLY IF EXISTS ${quoteName(name)}`);
      }
      await this.countWords(runner);
    });
    this.log.log('The search index is made');
  }

  private async make(runner: QueryRunner, lastId: number): Promise<void> {
    await runner.query(
      `CREATE INDEX CONCURRENTLY IF NOT EXISTS ${quoteName(`${this.table}_search_${lastId}`)}
       ON ${quoteName(this.table)}
       USING gin (${writeFolded(this.columns, this.ability)} ${this.ability.trigramSchema}.gin_trgm_ops)
       WHERE id <= ${lastId}`,
    );
  }

  /** PostgreSQL does not look into a partial index for how frequent something is. */
  private async countWords(runner: QueryRunner): Promise<void> {
    const [server] = (await runner.query('SHOW server_version_num')) as Record<string, string>[];
    if (Number(server!.server_version_num) >= FIRST_WITH_STATISTICS) {
      await runner.query(
        `CREATE STATISTICS IF NOT EXISTS ${quoteName(`${this.table}_search`)}
         ON (${writeFolded(this.columns, this.ability)}) FROM ${quoteName(this.table)}`,
      );
    }
    await runner.query(`ANALYZE ${quoteName(this.table)}`);
  }

  /** Such an index waits for transactions that are under way, which may take long. */
  private async withoutLockTimeout(work: (runner: QueryRunner) => Promise<void>): Promise<void> {
    const runner = this.dataSource.createQueryRunner();
    this.runner = runner;
    try {
      const [before] = (await runner.query('SHOW lock_timeout')) as { lock_timeout: string }[];
      await runner.query('SET lock_timeout = 0');
      await work(runner).finally(async () =>
        runner.query(`SET lock_timeout = '${before!.lock_timeout}'`),
      );
    } finally {
      this.runner = undefined;
      await runner.release();
    }
  }

  private async findAll(): Promise<Known[]> {
    return this.dataSource.query(INDEXES, [this.table, `^${this.table}_search_[0-9]+$`]);
  }
}
