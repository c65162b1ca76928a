import { backfillSql, journaledWriteSql } from './journal-sql.js';
import type { JournaledTable } from './journaled-table.js';
import { WriteRequest, type SqlExecutor } from './write-request.js';

/**
 * Locks the head row, and adds journal entries for the records that were written without the journal;
 * before the first entry, for all records. Returns the number of the last change.
 */
export async function backfill(executor: SqlExecutor, table: JournaledTable): Promise<number> {
  const seq = await lockHead(executor, table);
  const request = new WriteRequest({}, { backfill: table.name });
  const sql = journaledWriteSql(table, backfillSql(table, seq === 0));
  const records: unknown[] = await executor.query(sql, request.values);
  return records.length ? lockHead(executor, table) : seq;
}

async function lockHead(executor: SqlExecutor, { epoch }: JournaledTable): Promise<number> {
  const [heads]: [{ seq: string }[]] = await executor.query(
    `UPDATE journal_head SET seq = seq + ${epoch.gap}${epoch.assignment} RETURNING seq`,
  );
  if (heads[0]) return Number(heads[0].seq);
  throw new Error('The table journal_head has no row. Run "npm run marathon -- schema sync".');
}
