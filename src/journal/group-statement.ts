import type { Operation } from './journal.entity.js';
import type { JournaledTable } from './journaled-table.js';
import { writeDown } from './statements.js';

/** What can be done to one record together with what is done to others. */
export type GroupedOperation = Extract<Operation, 'create' | 'update' | 'delete'>;

/**
 * One statement for many writes, each of another record and each with its own request: it takes the
 * head row first, so that groups queue, changes the records, numbers the changes in the order in which
 * they were asked for, and writes them down. It returns the `place` of each that changed something,
 * with its record.
 *
 * $1 is a JSON array of what `asked` lists, so that one text serves every group with the same
 * operations in it, whatever columns they name.
 */
export function rememberGroup(table: JournaledTable, operations: GroupedOperation[]): string {
  const parts = PARTS.filter(({ operation }) => operations.includes(operation));
  const changed = parts.map(
    ({ operation }) =>
      `SELECT place, id, version, ${table.list}, '${operation}' AS operation FROM ${operation}d`,
  );
  return `
    WITH head AS (SELECT 1 FROM journal_head FOR UPDATE),
    asked AS MATERIALIZED (
      SELECT asked.* FROM head, json_to_recordset($1::json) AS asked (
        place integer, request_id text, by text, fingerprint text,
        operation text, record_id integer, expected integer[], changes json)),
    ${parts.map(({ write }) => write(table)).join(', ')},
    changed AS (${changed.join(' UNION ALL ')}),
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
    SELECT place, id, ${table.list}, version FROM numbered`;
}

interface Part {
  operation: GroupedOperation;
  write: (table: JournaledTable) => string;
}

const PARTS: Part[] = [
  { operation: 'create', write: create },
  { operation: 'update', write: update },
  { operation: 'delete', write: remove },
];

/** The ids are given out first, because INSERT does not tell which row became which record. */
function create(table: JournaledTable): string {
  const { name, list } = table;
  const sequence = `(SELECT pg_get_serial_sequence('${name}', 'id')::regclass)`;
  return `
    created AS MATERIALIZED (
      SELECT asked.place, nextval(${sequence})::integer AS id, 1 AS version, ${table.listOf('known')}
      FROM asked CROSS JOIN json_populate_record(NULL::${name}, asked.changes) AS known
      WHERE asked.operation = 'create' ORDER BY asked.place),
    stored AS (
      INSERT INTO ${name} (id, version, ${list}) SELECT id, version, ${list} FROM created)`;
}

/** Changes nothing, and so makes no new version, where the record is like that already. */
function update(table: JournaledTable): string {
  const { name, list } = table;
  const changed = 'json_populate_record(record, asked.changes)';
  return `
    updated AS (
      UPDATE ${name} AS record
      SET (${list}) = (SELECT ${list} FROM ${changed}), version = version + 1
      FROM asked
      WHERE asked.operation = 'update' AND ${isExpected} AND record IS DISTINCT FROM ${changed}
      RETURNING asked.place, id, version, ${table.listOf('record')})`;
}

function remove(table: JournaledTable): string {
  return `
    deleted AS (
      DELETE FROM ${table.name} AS record
      USING asked WHERE asked.operation = 'delete' AND ${isExpected}
      RETURNING asked.place, id, version + 1 AS version, ${table.listOf('record')})`;
}

/** A record that the journal knows (version 0 was written past it), in a version that is expected. */
const isExpected = `
  id = asked.record_id AND version > 0
  AND (asked.expected IS NULL OR version = ANY (asked.expected))`;
