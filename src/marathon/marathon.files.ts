import { createHash, type Hash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PoolClient } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { DataSource, type QueryRunner } from 'typeorm';
import { readAs } from '../http/input.pipe.js';
import type { Journal } from '../journal/journal.js';
import { InjectJournal } from '../journal/journal.module.js';
import type { Tally } from '../journal/request.js';
import type { WriteTerms } from '../journal/write-terms.js';
import { landAll, landByKey, selectStaged, type Resolution } from '../transfer/landing.js';
import { Rejections, RowsRefused } from '../transfer/rejections.js';
import { readRows } from '../transfer/rows.js';
import { judgeRows, stageRows } from '../transfer/staging.js';
import { Turns } from '../transfer/turns.js';
import { IMPORT_COLUMNS, NATURAL_KEY } from './marathon.columns.js';
import { MarathonDetails } from './marathon.dto.js';
import { Marathon } from './marathon.entity.js';

const TABLE = 'marathon';

/** Many marathons on their way in. */
export interface ManyMarathons {
  mediaType: string;
  bytes: Readable;
  /** What becomes of those that are there already, by name and city; without it, they are added again. */
  resolution?: Resolution;
}

/** Many marathons at once, from and to files. */
@Injectable()
export class MarathonFiles {
  private readonly turns: Turns;
  /** There is no second connection to copy to. */
  private readonly isNarrow: boolean;

  constructor(
    @InjectDataSource() private readonly dataSource: DataSource,
    @InjectJournal(Marathon) private readonly journal: Journal<Marathon>,
  ) {
    // who uploads slowly holds a connection for long: others need some too
    const { poolSize = 10 } = dataSource.options as { poolSize?: number };
    this.turns = new Turns(Math.ceil(poolSize / 4));
    this.isNarrow = poolSize < 2;
  }

  /**
   * Stores every row, or none.
   * @throws {RowsRejected} with each bad row's line and faults.
   * @throws {RowsRefused} where it is not rows at all.
   */
  async import(many: ManyMarathons, terms: WriteTerms): Promise<Tally> {
    try {
      return await this.turns.take(async () =>
        many.resolution || this.isNarrow ? this.merge(many, terms) : this.add(many, terms),
      );
    } finally {
      // what was not read is let go by, so that the client hears the answer
      many.bytes.resume();
    }
  }

  private async merge(many: ManyMarathons, terms: WriteTerms): Promise<Tally> {
    return this.journal.changeMany(terms, async (runner) => {
      const { count, intent } = await stageMarathons(runner, many);
      const change = many.resolution
        ? landByKey(TABLE, IMPORT_COLUMNS, { key: NATURAL_KEY, resolution: many.resolution })
        : landAll(TABLE, IMPORT_COLUMNS);
      return { change, offered: count, intent };
    });
  }

  private async add(many: ManyMarathons, terms: WriteTerms): Promise<Tally> {
    return this.dataSource.transaction(async ({ queryRunner }) => {
      const staging = queryRunner!;
      const staged = await stageMarathons(staging, many, TABLE);
      const select = selectStaged(IMPORT_COLUMNS);
      return this.journal.createMany(terms, { staging, select, ...staged });
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

async function stageMarathons(runner: QueryRunner, many: ManyMarathons, numberedBy?: string) {
  const { mediaType, bytes, resolution } = many;
  const hash = createHash('sha256');
  const rejections = new Rejections();
  const source = hashing(hash, bytes);
  const rows = await readRows(mediaType, source, IMPORT_COLUMNS, rejections, explain);
  const count = await stageRows(runner, IMPORT_COLUMNS, rows, numberedBy);
  await judgeRows(runner, IMPORT_COLUMNS, rows, rejections, explain);
  rejections.throwIfAny();
  if (!count) throw new RowsRefused('There are no rows: nothing was stored.');
  return { count, intent: { import: hash.digest('hex'), mediaType, resolution } };
}

function explain(members: Record<string, unknown>) {
  return readAs(MarathonDetails, members).faults;
}

async function* hashing(hash: Hash, bytes: Readable): AsyncGenerator<Buffer> {
  for await (const chunk of bytes.iterator({ destroyOnReturn: false })) {
    hash.update(chunk as Buffer);
    yield chunk as Buffer;
  }
}
