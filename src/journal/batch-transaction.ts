import type { EntityManager } from 'typeorm';
import { batchInsertParameters } from './batch-insert.js';
import { nextIdSql, sequenceOf } from './id-sequence.js';
import { lockHead, storeRequests, type StoredRequest } from './journal-head.js';
import type { Journaled, JournaledTable } from './journaled-table.js';
import {
  changeTo,
  executeChanges,
  findRecords,
  recordOf,
  type Change,
  type StoredRecord,
} from './planned-changes.js';
import type { Write } from './write-request.js';

interface Batch {
  ordered: Write[];
  /** The change of each write; undefined if it changes nothing. */
  changes: (Change | undefined)[];
  requests: StoredRequest[];
}

/**
 * As the statements of `batch-insert.ts` and `batch-update.ts`, as plain statements in the transaction of `manager`:
 * for tables that are distributed.
 */
export async function executeBatchInTransaction<T extends Journaled>(
  manager: EntityManager,
  table: JournaledTable,
  writes: Write[],
): Promise<[write: Write, result: T | undefined][]> {
  const seq = await lockHead(manager, table);
  const plan = writes[0]!.operation === 'create' ? planCreations : planChanges;
  const { ordered, changes, requests } = await plan(manager, table, writes);
  const made = changes.filter((change) => change !== undefined);
  if (made.length) {
    await executeChanges(manager, table, seq, made);
    await storeRequests(manager, made.length, requests);
  }
  return ordered.map((write, index) => {
    const change = changes[index];
    return [write, change && (recordOf(table, change) as T)];
  });
}

async function planCreations(
  manager: EntityManager,
  table: JournaledTable,
  writes: Write[],
): Promise<Batch> {
  const { ordered, requests } = batchInsertParameters(writes);
  const sequence = await sequenceOf(manager, table.name);
  const ids = (await manager.query(
    `SELECT ${nextIdSql(sequence)} AS id FROM generate_series(1, $1)`,
    [ordered.length],
  )) as { id: number }[];
  const changes = ordered.map(({ changes: details = {} }, index) =>
    changeTo(table, 'create', { id: ids[index]!.id, version: 1 }, details),
  );
  return { ordered, changes, requests };
}

async function planChanges(
  manager: EntityManager,
  table: JournaledTable,
  writes: Write[],
): Promise<Batch> {
  const ids = writes.map(({ id }) => id!);
  const stored = await findRecords(manager, table, ids);
  const byId = new Map(stored.map((current) => [current.id, current]));
  const changes = ids.map((id, index) => planChange(table, writes[index]!, byId.get(id)));
  const effective = writes.filter((_, index) => changes[index]);
  const requests = effective.map(({ request }, index) => ({
    ...request.stored,
    first: index + 1,
    last: index + 1,
  }));
  return { ordered: writes, changes, requests };
}

/** Undefined if there is no such version of the record, or it has the requested values already. */
function planChange(
  table: JournaledTable,
  { operation, changes = {}, request }: Write,
  stored: StoredRecord | undefined,
): Change | undefined {
  if (!stored || stored.version === 0) return undefined;
  const { ifMatch } = request.options;
  if (ifMatch && !ifMatch.includes(stored.version)) return undefined;
  const identity = { id: stored.id, version: stored.version + 1 };
  const { record } = stored;
  if (operation === 'delete') return changeTo(table, operation, identity, record, record);
  const { names, values } = table.definedColumns(changes);
  if (names.every((name, index) => record[name] === values[index])) return undefined;
  return changeTo(table, operation, identity, { ...record, ...changes }, record);
}
