import { backfillSql, journaledWriteSql } from './journal-sql.js';
import type { JournaledTable } from './journaled-table.js';
import { WriteRequest, type SqlExecutor } from './write-request.js';

/**
 * Locks the head row, and adds journal entries for the records that were written without the journal;
 * before the first entry, for all records. Returns the number of the last change.
 */
export async function backfill(executor: SqlExecutor, table: JournaledTable): Promise<number> {
  const seq = await lockHead(executor);
  const request = new WriteRequest({}, { backfill: table.name });
  const sql = journaledWriteSql(table, backfillSql(table, seq === 0));
  const records: unknown[] = await executor.query(sql, request.values);
  return records.length ? lockHead(executor) : seq;
}

async function lockHead(executor: SqlExecutor): Promise<number> {
  const heads: { seq: string }[] = await executor.query('SELECT seq FROM journal_head FOR UPDATE');
  if (heads[0]) return Number(heads[0].seq);
  throw new Error('The table journal_head has no row. Run "npm run marathon -- schema sync".');
}
