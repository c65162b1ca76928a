import { nextIdSql } from './id-sequence.js';
import type { StoredRequest } from './journal-head.js';
import type { JournaledTable } from './journaled-table.js';
import type { BatchParameters, JournalPosition, Write } from './write-request.js';

/**
 * One statement for many creations. It updates the head row first, so that batches queue. The number of
 * changes is known, so each record's number follows from its position. The ids are assigned before the
 * records are stored, because INSERT does not report which row became which record. It returns the `ids`
 * in the order of the records.
 *
 * The parameters are those of `batchInsertParameters`; `sequence` generates the ids.
 */
export function batchInsertSql(table: JournaledTable, sequence: string): string {
  const { name, list, epoch } = table;
  return `
    WITH head AS (
      UPDATE journal_head
      SET seq = seq + $1::integer + ${epoch.gap}, at = greatest(at, clock_timestamp())${epoch.assignment}
      RETURNING seq - $1::integer AS before, at),
    created AS MATERIALIZED (
      SELECT position, before + position AS seq, ${nextIdSql(sequence)} AS id, ${list}
      FROM head, ROWS FROM (json_to_recordset($2::json) AS (${table.definitions}))
        WITH ORDINALITY AS requested (${list}, position)),
    stored AS (
      INSERT INTO ${name} (id, version, ${list})
      OVERRIDING SYSTEM VALUE SELECT id, 1, ${list} FROM created),
    request AS (
      INSERT INTO journal_request (request_id, first_seq, last_seq, at, by, fingerprint)
      SELECT request_id, before + first, before + last, head.at, by, fingerprint
      FROM head, json_to_recordset($3::json) AS requested (
        request_id text, first integer, last integer, by text, fingerprint text)),
    entries AS (
      INSERT INTO journal (seq, record_id, version, operation, record)
      SELECT seq, id, 1, 'create', ${table.jsonOf('created')} FROM created)
    SELECT json_agg(id ORDER BY position) AS ids FROM created`;
}

/** The parameters of `batchInsertSql`, and how its row is read. */
export function batchInsertParameters<T>(
  writes: Write[],
): BatchParameters<T> & { requests: StoredRequest[] } {
  const groups = groupByStoredRequest(writes);
  const ordered = groups.flat();
  let last = 0;
  const requests = groups.map((group) => {
    const first = last + 1;
    last += group.length;
    return { ...group[0]!.request.stored, first, last };
  });
  const records = ordered.map(({ changes }) => changes);
  return {
    ordered,
    requests,
    values: [ordered.length, JSON.stringify(records), JSON.stringify(requests)],
    readRows: (rows) => {
      const [{ ids }] = rows as [{ ids: number[] }];
      return ids.map((id) => ({ id, version: 1 }) as T);
    },
  };
}

/** Where the journal has the result of each write. */
export function batchInsertPositions(writes: Write[]): JournalPosition[] {
  return groupByStoredRequest(writes).flatMap((group) => {
    const requestId = group[0]!.request.id;
    return group.map(({ request }, offset) => ({ request, requestId, offset }));
  });
}

/**
 * Storing a request costs more than storing a record. So requests that no client can repeat are stored as
 * one, with the id of the first.
 *
 * A batch whose acknowledgement was lost is sent again and must conflict with itself. So the grouping of a
 * write depends on no other write of the batch, which may be without some of them the second time.
 */
function groupByStoredRequest(writes: Write[]): Write[][] {
  const groups = new Map<unknown, Write[]>();
  for (const write of writes) {
    const { groupKey } = write.request;
    const group = groups.get(groupKey);
    if (group) group.push(write);
    else groups.set(groupKey, [write]);
  }
  return [...groups.values()];
}
