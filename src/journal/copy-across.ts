import { pipeline } from 'node:stream/promises';
import type { Client, PoolClient } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { QueryRunner } from 'typeorm';
import type { Copy } from './statements.js';

/** Copies rows from one connection to another, as fast as the slower one goes. */
export async function copyAcross(
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
    // a COPY TO that nobody reads to its end would keep its connection busy for ever
    await (reader as unknown as Client).end();
    throw error;
  }
}
