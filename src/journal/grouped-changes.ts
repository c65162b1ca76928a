import type { JournaledTable } from './journaled-table.js';
import { writeDown } from './statements.js';
import type { DescribedGroup, Write } from './request.js';

/**
 * One statement for many changes of records that are there, each of another record and each with its
 * own request: it takes the head row first, so that groups queue, changes the records, numbers the
 * changes in the order in which they were asked for, and writes them down. It returns the `place` of
 * each that changed something, with its record.
 *
 * $1 is what `describeChanges` gives, so that one text serves every group, whatever columns it names.
 */
export function rememberChanges(table: JournaledTable): string {
  const left = `place, id, version, ${table.list}`;
  return `
    WITH head AS (SELECT 1 FROM journal_head FOR UPDATE),
    asked AS MATERIALIZED (
      SELECT asked.* FROM head, json_to_recordset($1::json) AS asked (
        place integer, request_id text, by text, fingerprint text,
        operation text, record_id integer, expected integer[], changes json)),
    updated AS (${update(table)}),
    deleted AS (${remove(table)}),
    changed AS (
      SELECT ${left}, 'update' AS operation FROM updated
      UNION ALL SELECT ${left}, 'delete' AS operation FROM deleted),
    numbered AS (SELECT *, row_number() OVER (ORDER BY place) AS nth FROM changed),
    turn AS (
      UPDATE journal_head SET seq = seq + total, at = greatest(at, clock_timestamp())
      FROM (SELECT count(*) AS total FROM changed) AS counted WHERE total > 0
      RETURNING seq - total AS before, at),
    request AS (
      INSERT INTO journal_request (request_id, first_seq, last_seq, at, by, fingerprint)
      SELECT asked.request_id, before + nth, before + nth, turn.at, asked.by, asked.fingerprint
      FROM numbered JOIN asked USING (place), turn),
    entries AS (${writeDown(table, 'nth')})
    SELECT ${left} FROM numbered`;
}

/** Those writes, as that statement takes them. */
export function describeChanges<T>(writes: Write[]): DescribedGroup<T> {
  const asked = writes.map(({ request, operation, id, changes }, index) => {
    const { expectedVersions: expected } = request.terms;
    return { place: index + 1, ...request.remembered, operation, record_id: id, expected, changes };
  });
  return {
    ordered: writes,
    values: [JSON.stringify(asked)],
    read: (rows) => {
      const changed = new Map(
        (rows as { place: number }[]).map(({ place, ...record }) => [place, record as T]),
      );
      return asked.map(({ place }) => changed.get(place));
    },
  };
}

/** Changes nothing, and so makes no new version, where the record is like that already. */
function update(table: JournaledTable): string {
  const { name, list } = table;
  const changed = 'json_populate_record(record, asked.changes)';
  return `
      UPDATE ${name} AS record
      SET (${list}) = (SELECT ${list} FROM ${changed}), version = version + 1
      FROM asked
      WHERE asked.operation = 'update' AND ${isExpected} AND record IS DISTINCT FROM ${changed}
      RETURNING asked.place, id, version, ${table.listOf('record')}`;
}

function remove(table: JournaledTable): string {
  return `
      DELETE FROM ${table.name} AS record
      USING asked WHERE asked.operation = 'delete' AND ${isExpected}
      RETURNING asked.place, id, version + 1 AS version, ${table.listOf('record')}`;
}

/** A record that the journal knows (version 0 was written past it), in a version that is expected. */
const isExpected = `
  id = asked.record_id AND version > 0
  AND (asked.expected IS NULL OR version = ANY (asked.expected))`;
