import pg from 'pg';
import type { JournaledTable } from './journaled-table.js';
import type { DescribedGroup, Location, Write } from './request.js';

/**
 * One statement for many new records. It takes the head row first, so that groups queue. How many
 * changes there will be is known before: the row is advanced at once, and what number each record has
 * follows from its place. The ids are given out before the records are stored, because INSERT does not
 * tell which row became which record. It returns the `ids` in the order of the records.
 *
 * The parameters are those that `describeCreations` gives; `sequence` is where the ids come from.
 */
export function rememberCreations(table: JournaledTable, sequence: string): string {
  const { name, list } = table;
  const nextId = `nextval(${pg.escapeLiteral(sequence)}::regclass)::integer`;
  return `
    WITH turn AS (
      UPDATE journal_head SET seq = seq + $1::integer, at = greatest(at, clock_timestamp())
      RETURNING seq - $1::integer AS before, at),
    created AS MATERIALIZED (
      SELECT place, before + place AS seq, ${nextId} AS id, ${list}
      FROM turn, ROWS FROM (json_to_recordset($2::json) AS (${table.definitions}))
        WITH ORDINALITY AS asked (${list}, place)),
    stored AS (
      INSERT INTO ${name} (id, version, ${list})
      OVERRIDING SYSTEM VALUE SELECT id, 1, ${list} FROM created),
    request AS (
      INSERT INTO journal_request (request_id, first_seq, last_seq, at, by, fingerprint)
      SELECT request_id, before + first, before + last, turn.at, by, fingerprint
      FROM turn, json_to_recordset($3::json) AS asked (
        request_id text, first integer, last integer, by text, fingerprint text)),
    entries AS (
      INSERT INTO journal (seq, record_id, version, operation, record)
      SELECT seq, id, 1, 'create', ${table.recordOf('created')} FROM created)
    SELECT json_agg(id ORDER BY place) AS ids FROM created`;
}

/** Those writes, as that statement takes them. */
export function describeCreations<T>(writes: Write[]): DescribedGroup<T> {
  const shared = shareRequests(writes);
  const ordered = shared.flat();
  let last = 0;
  const requests = shared.map((sharing) => {
    const { request_id, by, fingerprint } = sharing[0]!.request.remembered;
    const first = last + 1;
    last += sharing.length;
    return { request_id, by, fingerprint, first, last };
  });
  const records = ordered.map(({ changes }) => changes);
  return {
    ordered,
    values: [ordered.length, JSON.stringify(records), JSON.stringify(requests)],
    read: (rows) => {
      const [{ ids }] = rows as [{ ids: number[] }];
      return ids.map((id) => ({ id, version: 1 }) as T);
    },
  };
}

/** Where each of them will be found again. */
export function locateCreations(writes: Write[]): Location[] {
  return shareRequests(writes).flatMap((sharing) =>
    sharing.map(({ request }, nth) => ({ request, under: sharing[0]!.request.id, nth })),
  );
}

/**
 * To remember a request costs more than to store a record. So those that nobody will ask for by their
 * ids are remembered as one, under the id of the first.
 *
 * A group whose answer was lost is sent again, and must collide with itself: who shares with whom
 * depends on nobody else in the group, some of whom may have been answered by then.
 */
function shareRequests(writes: Write[]): Write[][] {
  const shared = new Map<unknown, Write[]>();
  for (const write of writes) {
    const { sharedAs } = write.request;
    const sharing = shared.get(sharedAs);
    if (sharing) sharing.push(write);
    else shared.set(sharedAs, [write]);
  }
  return [...shared.values()];
}
