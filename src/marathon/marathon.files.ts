import { createReadStream, createWriteStream } from 'node:fs';
import { Readable, type Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import type { PoolClient } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import { DataSource } from 'typeorm';
import { readAs, type Fault } from '../http/body.pipe.js';
import { readCsv, type CsvRow } from '../transfer/csv.js';
import { MarathonDetails } from './marathon.dto.js';
import { Marathon } from './marathon.entity.js';

const COLUMNS = ['name', 'city', 'inception_year'];
const ROWS_A_STATEMENT = 1000;
const MOST_REJECTED_SHOWN = 1000;

/** A row that cannot be a marathon, and why. */
export interface RejectedRow {
  line: number;
  faults: Fault[];
}

/** Rows were rejected, and so nothing was stored. */
export class ImportRejected extends Error {
  constructor(
    readonly rows: RejectedRow[],
    readonly count: number,
  ) {
    super(`${count} rows were rejected; nothing was stored.`);
  }
}

/** Marathons from and to CSV files. */
@Injectable()
export class MarathonFiles {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  /**
   * Stores every row of a CSV file, or none. Returns how many; tells `onProgress` the bytes read.
   * @throws {ImportRejected} with each bad row's line and faults.
   */
  async import(path: string, onProgress: (bytesRead: number) => void): Promise<number> {
    const file = createReadStream(path);
    return this.dataSource.transaction(async (manager) => {
      const verdict = new Verdict();
      for await (const batch of inBatches(readCsv(file, COLUMNS))) {
        const accepted = batch.flatMap((row) => verdict.judge(row));
        if (!verdict.rejectedCount) await manager.insert(Marathon, accepted);
        onProgress(file.bytesRead);
      }
      return verdict.count();
    });
  }

  /** Writes all marathons as CSV; PostgreSQL makes the text. */
  async export(target: string | Writable): Promise<void> {
    const runner = this.dataSource.createQueryRunner();
    try {
      const client: PoolClient = await runner.connect();
      const rows = `SELECT ${COLUMNS.join(', ')} FROM marathon ORDER BY id`;
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

class Verdict {
  private acceptedCount = 0;
  private readonly rejected: RejectedRow[] = [];
  rejectedCount = 0;

  judge({ line, fields }: CsvRow): MarathonDetails[] {
    const { record, faults } = readAs(MarathonDetails, { ...fields, ...readYear(fields) });
    if (!faults.length) {
      this.acceptedCount += 1;
      return [record];
    }
    this.rejectedCount += 1;
    if (this.rejected.length < MOST_REJECTED_SHOWN) this.rejected.push({ line, faults });
    return [];
  }

  count(): number {
    if (this.rejectedCount) throw new ImportRejected(this.rejected, this.rejectedCount);
    return this.acceptedCount;
  }
}

function readYear({ inception_year: text }: CsvRow['fields']) {
  return { inception_year: text && /^\s*\d+\s*$/.test(text) ? Number(text) : (text ?? null) };
}

async function* inBatches<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let batch: T[] = [];
  for await (const item of items) {
    if (batch.push(item) < ROWS_A_STATEMENT) continue;
    yield batch;
    batch = [];
  }
  if (batch.length) yield batch;
}
