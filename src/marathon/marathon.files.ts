import { randomUUID } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PoolClient } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { DataSource, type QueryRunner } from 'typeorm';
import { retryLongWork } from '../database/retry.js';
import { readAs } from '../http/input.js';
import type { RowsBody } from '../http/rows-body.js';
import type { Journal } from '../journal/journal.js';
import { InjectJournal } from '../journal/journal.module.js';
import type { Tally } from '../journal/request.js';
import type { WriteTerms } from '../journal/write-terms.js';
import type { Search } from '../search/search.js';
import { InjectSearch } from '../search/search.module.js';
import { landByKey, selectStaged, type Resolution } from '../transfer/landing.js';
import { Rejections, RowsRefused } from '../transfer/rejections.js';
import { readRows } from '../transfer/rows.js';
import { judgeRows, stageRows } from '../transfer/staging.js';
import { Turns } from '../transfer/turns.js';
import { IMPORT_COLUMNS, NATURAL_KEY } from './marathon.columns.js';
import { MarathonDetails } from './marathon.dto.js';
import { Marathon } from './marathon.entity.js';

const TABLE = 'marathon';

/** Many marathons at once, from and to files. */
@Injectable()
export class MarathonFiles {
  private readonly turns: Turns;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectJournal(Marathon) private readonly journal: Journal<Marathon>,
    @InjectSearch(Marathon) private readonly search: Search,
  ) {
    // an import holds two connections for as long as it takes: others need some too
    const { poolSize = 10 } = dataSource.options as { poolSize?: number };
    this.turns = new Turns(Math.ceil(poolSize / 4));
  }

  /**
   * Stores every row, or none.
   * @throws {RowsRejected} with each bad row's line and faults.
   * @throws {RowsRefused} where it is not rows at all.
   */
  async import(
    rows: RowsBody,
    resolution: Resolution | undefined,
    terms: WriteTerms,
  ): Promise<Omit<Tally, 'deleted'>> {
    await this.journal.opened();
    // one id for all attempts: one that was done, though its answer was lost, is not done again
    const once = { ...terms, requestId: terms.requestId ?? randomUUID() };
    const attempt = async () =>
      resolution ? this.merge(rows, resolution, once) : this.add(rows, once);
    const { deleted: _, ...tally } = await this.turns.take(async () => retryLongWork(attempt));
    this.search.renewIndex();
    return tally;
  }

  private async merge(rows: RowsBody, resolution: Resolution, terms: WriteTerms) {
    const intent = { import: rows.fingerprint, as: rows.mediaType, resolution };
    return this.journal.changeMany(terms, intent, async (runner) => {
      const offered = await stageMarathons(runner, rows);
      const change = landByKey(TABLE, IMPORT_COLUMNS, { key: NATURAL_KEY, resolution });
      return { change, offered };
    });
  }

  private async add(rows: RowsBody, terms: WriteTerms): Promise<Tally> {
    const intent = { import: rows.fingerprint, as: rows.mediaType };
    return this.dataSource.transaction(async ({ queryRunner }) => {
      const staging = queryRunner!;
      const count = await stageMarathons(staging, rows, TABLE);
      const select = selectStaged(IMPORT_COLUMNS);
      return this.journal.createMany(terms, intent, { staging, select, count });
    });
  }

  /** Writes all marathons as CSV; PostgreSQL makes the text. */
  async export(target: string | Writable): Promise<void> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const client: PoolClient = await runner.connect();
      const names = IMPORT_COLUMNS.map(({ name }) => name).join(', ');
      const rows = `SELECT ${names} FROM ${TABLE} ORDER BY id`;
      const source: Readable = client.query(
        copyTo(`COPY (${rows}) TO STDOUT (FORMAT csv, HEADER)`),
      );
      if (typeof target === 'string') await pipeline(source, createWriteStream(target));
      else await pipeline(source, target, { end: false });
    } finally {
      await runner.release();
    }
  }
}

/** Returns how many there are; each has an id from the sequence of the table `numberedBy`, if named. */
async function stageMarathons(runner: QueryRunner, body: RowsBody, numberedBy?: string) {
  const rejections = new Rejections();
  const source = body.open();
  // a file that cannot be read says so to its reader, who may come a moment later
  source.on('error', () => undefined);
  try {
    const rows = await readRows(body.mediaType, source, IMPORT_COLUMNS, rejections, explain);
    const count = await stageRows(runner, IMPORT_COLUMNS, rows, numberedBy);
    await judgeRows(runner, IMPORT_COLUMNS, rows, rejections, explain);
    rejections.throwIfAny();
    if (!count) throw new RowsRefused('There are no rows: nothing was stored.');
    return count;
  } finally {
    source.destroy();
  }
}

function explain(members: Record<string, unknown>) {
  return readAs(MarathonDetails, members).faults;
}
