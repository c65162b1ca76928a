import type { EntityManager } from 'typeorm';
import { ProblemError } from '../problems/problems.js';
import { backfill } from './backfill.js';
import { advanceSequence } from './id-sequence.js';
import { findEntry } from './journal-entries.js';
import type { Journaled, JournaledTable } from './journaled-table.js';
import { storeRequest } from './journal-head.js';
import { changeTo, executeChanges, recordOf } from './planned-changes.js';
import type { WriteRequest } from './write-request.js';

/**
 * Creates a record under an id that the client chose. The versions of a deleted record with this id are
 * continued, and later ids are larger.
 * @throws {ProblemError} `already_exists`, or `precondition_failed` if the client required a new record.
 */
export async function createWithId<T extends Journaled>(
  manager: EntityManager,
  table: JournaledTable,
  request: WriteRequest,
  id: number,
  details: object,
): Promise<T> {
  const seq = await backfill(manager, table);
  const stored = await request.findStoredResult<T>(manager);
  if (stored) return stored;
  await assertNew(manager, table, request, id);
  const latest = await findEntry(manager, id);
  const identity = { id, version: (latest?.version ?? 0) + 1 };
  const change = changeTo(table, 'create', identity, details);
  await executeChanges(manager, table, seq, [change]);
  await storeRequest(manager, request, 1);
  // a sequence is not rolled back
  if (!request.options.dryRun) await advanceSequence(manager, table.name, id);
  return recordOf(table, change) as T;
}

async function assertNew(
  manager: EntityManager,
  table: JournaledTable,
  { options }: WriteRequest,
  id: number,
): Promise<void> {
  const found: object[] = await manager.query(`SELECT FROM ${table.name} WHERE id = $1`, [id]);
  if (!found.length) return;
  if (options.mustBeNew) {
    throw new ProblemError(
      'precondition_failed',
      `The id ${id} exists already, and If-None-Match: * requires a new one. Leave the header out to replace it.`,
    );
  }
  throw new ProblemError(
    'already_exists',
    `The id ${id} exists already. Send PUT or PATCH to change it, or leave the id out to create another one.`,
  );
}
