import type { Readable } from 'node:stream';
import { Logger } from '@nestjs/common';
import { to as copyTo } from 'pg-copy-streams';
import { withinDeadline } from '../pool/deadline.js';
import type { PooledClient } from '../pool/pool-types.js';
import type { RecyclingPool } from '../pool/recycling-pool.js';

const CANCEL_TIMEOUT_MS = 1000;

const log = new Logger('Lists');

/**
 * Executes COPY … TO STDOUT and yields its output. If the reader stops early, or `signal` aborts, the
 * statement is cancelled.
 */
export async function* copyRows(
  pool: RecyclingPool,
  client: PooledClient,
  sql: string,
  signal: AbortSignal,
): AsyncGenerator<Buffer> {
  signal.throwIfAborted();
  const copy: Readable = client.query(copyTo(sql));
  const abort = () => copy.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort);
  let isFinished = false;
  try {
    yield* copy as AsyncIterable<Buffer>;
    isFinished = true;
  } catch (error) {
    isFinished = !signal.aborted;
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
    if (!isFinished) void cancel(pool, client.backendPid);
  }
}

/** PostgreSQL notices a missing reader only when it writes, which may be long after. */
async function cancel(pool: RecyclingPool, pid: number | undefined): Promise<void> {
  try {
    await withinDeadline(CANCEL_TIMEOUT_MS, async () =>
      pool.query(
        `SELECT pg_cancel_backend(pid) FROM pg_stat_activity
         WHERE pid = $1 AND state = 'active' AND query LIKE 'COPY (%'`,
        [pid],
      ),
    );
  } catch (error) {
    log.warn(`A list was not cancelled and runs on: ${String(error)}`);
  }
}
