import { pipeline } from 'node:stream/promises';
import type { Client, PoolClient } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { QueryRunner } from 'typeorm';

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
