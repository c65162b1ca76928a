import type { EntityManager } from 'typeorm';
import { lockHead, storeRequest } from './journal-head.js';
import type { JournaledTable } from './journaled-table.js';
import { planColumns, type Plan } from './plan.js';
import { executePlan } from './planned-changes.js';
import { WriteRequest } from './write-request.js';

/**
 * Locks the head row, and adds journal entries for the records that were written without the journal;
 * before the first entry, for all records. Returns the number of the last change.
 */
export async function backfill(manager: EntityManager, table: JournaledTable): Promise<number> {
  const seq = await lockHead(manager, table);
  const condition = seq === 0 ? 'true' : 'record.version = 0';
  const found: unknown[] = await manager.query(
    `SELECT FROM ${table.name} AS record WHERE ${condition} LIMIT 1`,
  );
  if (!found.length) return seq;
  const { total } = await executePlan(manager, table, seq, planBackfill(table, condition));
  await storeRequest(manager, new WriteRequest({}, { backfill: table.name }), total);
  return seq + total;
}

function planBackfill(table: JournaledTable, condition: string): Plan {
  const columns = planColumns(table, {
    version: 'greatest(record.version, 1 + coalesce(latest.version, 0))',
    operation: `'create'`,
  });
  const text = `
    SELECT ${columns} FROM ${table.name} AS record LEFT JOIN (
      SELECT record_id, max(version) AS version FROM journal GROUP BY record_id
    ) AS latest ON latest.record_id = record.id WHERE ${condition}`;
  return { text, values: [] };
}
