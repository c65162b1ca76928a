import { createWriteStream } from 'node:fs';
import type { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { PoolClient } from 'pg';
import { to as copyTo } from 'pg-copy-streams';
import type { DataSource } from 'typeorm';
import type { ResourceDefinition } from '../resource/resource.js';

/** Writes all records of a resource as CSV, by id. PostgreSQL writes the text. */
export async function exportCsv(
  dataSource: DataSource,
  { table, columns }: ResourceDefinition,
  target: string | Writable,
): Promise<void> {
  const runner = dataSource.createQueryRunner();
  try {
    const client: PoolClient = await runner.connect();
    const names = columns.map(({ name }) => name).join(', ');
    const rows = `SELECT ${names} FROM ${table} ORDER BY id`;
    const source: Readable = client.query(copyTo(`COPY (${rows}) TO STDOUT (FORMAT csv, HEADER)`));
    if (typeof target === 'string') await pipeline(source, createWriteStream(target));
    else await pipeline(source, target, { end: false });
  } finally {
    await runner.release();
  }
}
