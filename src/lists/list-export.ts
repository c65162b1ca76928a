import { createWriteStream } from 'node:fs';
import type { Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { DataSource } from 'typeorm';
import { deadlineIn } from '../pool/deadline.js';
import { poolOf } from '../pool/recycling-pool.js';
import { ListExecutor, type ListStatement } from './list-executor.js';

/** Writes a list to a file or to a stream. Only the wait for a connection is limited, by `deadlineMs`. */
export async function exportList(
  dataSource: DataSource,
  deadlineMs: number,
  statement: ListStatement,
  target: string | Writable,
): Promise<void> {
  const { signal } = new AbortController();
  const list = await new ListExecutor().open(
    poolOf(dataSource),
    statement,
    signal,
    deadlineIn(deadlineMs),
  );
  list.removeDeadline();
  try {
    if (typeof target === 'string') await pipeline(list.readRows(), createWriteStream(target));
    else await pipeline(list.readRows(), target, { end: false });
  } finally {
    await list.close();
  }
}
