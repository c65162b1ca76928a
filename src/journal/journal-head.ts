import type { EntityManager } from 'typeorm';
import type { JournaledTable } from './journaled-table.js';
import type { WriteRequest } from './write-request.js';

/** A request as the journal stores it: its changes, counted from 1, and how many records it left unchanged. */
export type StoredRequest = WriteRequest['stored'] & {
  first?: number;
  last?: number;
  skipped?: number;
};

/** Locks the head row, so that writers queue. Returns the number of the last change. */
export async function lockHead(manager: EntityManager, { epoch }: JournaledTable): Promise<number> {
  const [heads]: [{ seq: string }[]] = await manager.query(
    `UPDATE journal_head SET seq = seq + ${epoch.gap}${epoch.assignment} RETURNING seq`,
  );
  if (heads[0]) return Number(heads[0].seq);
  throw new Error('The table journal_head has no row. Run "npm run marathon -- schema sync".');
}

/** Advances the locked head row by `total` changes, and inserts the request that made them. */
export async function storeRequest(
  manager: EntityManager,
  { stored }: WriteRequest,
  total: number,
  skipped = 0,
): Promise<void> {
  const range = total ? { first: 1, last: total } : {};
  await storeRequests(manager, total, [{ ...stored, ...range, skipped }]);
}

/** As `storeRequest`, for several requests. */
export async function storeRequests(
  manager: EntityManager,
  total: number,
  requests: StoredRequest[],
): Promise<void> {
  await manager.query(
    `UPDATE journal_head SET seq = seq + ${total}, at = greatest(at, clock_timestamp())`,
  );
  await manager.query(
    `INSERT INTO journal_request (request_id, first_seq, last_seq, skipped, at, by, fingerprint)
     SELECT request_id, seq - ${total} + first, seq - ${total} + last, coalesce(skipped, 0), at, by, fingerprint
     FROM journal_head, json_to_recordset($1::json) AS requested (
       request_id text, first integer, last integer, skipped integer, by text, fingerprint text)`,
    [JSON.stringify(requests)],
  );
}
