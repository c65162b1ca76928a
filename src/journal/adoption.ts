import type { JournaledTable } from './journaled-table.js';
import { Request, type Database } from './request.js';
import { adoptAll, remember } from './statements.js';

/**
 * Locks the head row, and takes over what was written past the journal; before its first entry, all
 * there is. Returns the number of the last change.
 */
export async function adopt(database: Database, table: JournaledTable): Promise<number> {
  const seq = await lockHead(database);
  const request = new Request({}, { adopt: table.name });
  const sql = remember(table, adoptAll(table, seq === 0));
  const adopted: unknown[] = await database.query(sql, request.values);
  return adopted.length ? lockHead(database) : seq;
}

async function lockHead(database: Database): Promise<number> {
  const heads: { seq: string }[] = await database.query('SELECT seq FROM journal_head FOR UPDATE');
  if (heads[0]) return Number(heads[0].seq);
  throw new Error('The table journal_head has no row: run "npm run marathon -- schema sync".');
}
