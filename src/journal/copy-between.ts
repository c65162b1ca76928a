import { pipeline } from 'node:stream/promises';
import type { Client, PoolClient } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { QueryRunner } from 'typeorm';
import type { JournaledTable } from './journaled-table.js';

/** What is copied: a query on one connection, and its target on another. */
export interface Copy {
  from: string;
  into: string;
}

/** Copies rows from one connection to another. */
export async function copyBetween(
  source: QueryRunner,
  target: QueryRunner,
  { from, into }: Copy,
): Promise<void> {
  const reader = (await source.connect()) as PoolClient;
  const writer = (await target.connect()) as PoolClient;
  try {
    await pipeline(
      reader.query(copyTo(`COPY (${from}) TO STDOUT`)),
      writer.query(copyFrom(`COPY ${into} FROM STDIN`)),
    );
  } catch (error) {
    // a COPY TO without a reader would keep its connection busy
    await (reader as unknown as Client).end();
    throw error;
  }
}

/** Copies of new records, and of their journal entries after `before`. `select` returns them with ids and versions. */
export function copiesOf(table: JournaledTable, select: string, before: number) {
  const numbered = `SELECT ${before} + row_number() OVER () AS seq, * FROM (${select}) AS staged`;
  const records: Copy = {
    from: `SELECT id, version, ${table.list} FROM (${select}) AS staged`,
    into: `${table.name} (id, version, ${table.list})`,
  };
  const entries: Copy = {
    from: `SELECT seq, id, version, 'create', ${table.jsonOf('numbered')} FROM (${numbered}) AS numbered`,
    into: 'journal (seq, record_id, version, operation, record)',
  };
  return { records, entries };
}
