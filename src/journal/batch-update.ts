import type { JournaledTable } from './journaled-table.js';
import type { BatchParameters, Write } from './write-request.js';

/**
 * One statement for many updates and deletions, each of another record and with its own request. It locks
 * the head row first, so that batches queue; then it changes the records, numbers the changes in the order
 * of the requests, and journals them. It returns the `position` and the record of each effective change.
 *
 * $1 is the value of `batchUpdateParameters`: one text serves every batch, whatever columns it changes.
 */
export function batchUpdateSql(table: JournaledTable): string {
  const { epoch } = table;
  const columns = `request_position, id, version, ${table.list}`;
  return `
    WITH lock AS (SELECT 1 FROM journal_head FOR UPDATE),
    requested AS MATERIALIZED (
      SELECT requested.* FROM lock, json_to_recordset($1::json) AS requested (
        request_position integer, request_id text, by text, fingerprint text,
        operation text, record_id integer, if_match integer[], changes json)),
    updated AS (${updateSql(table)}),
    deleted AS (${deleteSql(table)}),
    changed AS (
      SELECT ${columns}, 'update' AS operation FROM updated
      UNION ALL SELECT ${columns}, 'delete' AS operation FROM deleted),
    numbered AS (SELECT *, row_number() OVER (ORDER BY request_position) AS position FROM changed),
    head AS (
      UPDATE journal_head
      SET seq = seq + total + ${epoch.gap}, at = greatest(at, clock_timestamp())${epoch.assignment}
      FROM (SELECT count(*) AS total FROM changed) AS counted WHERE total > 0
      RETURNING seq - total AS before, at),
    request AS (
      INSERT INTO journal_request (request_id, first_seq, last_seq, at, by, fingerprint)
      SELECT requested.request_id, before + position, before + position, head.at,
             requested.by, requested.fingerprint
      FROM numbered JOIN requested USING (request_position), head),
    entries AS (
      INSERT INTO journal (seq, record_id, version, operation, record)
      SELECT before + position, id, version, operation, ${table.jsonOf('numbered')} FROM numbered, head)
    SELECT ${columns} FROM numbered`;
}

/** The parameters of `batchUpdateSql`, and how its rows are read. */
export function batchUpdateParameters<T>(writes: Write[]): BatchParameters<T> {
  const requested = writes.map(({ request, operation, id, changes }, index) => ({
    request_position: index + 1,
    ...request.stored,
    operation,
    record_id: id,
    if_match: request.options.ifMatch,
    changes,
  }));
  return {
    ordered: writes,
    values: [JSON.stringify(requested)],
    readRows: (rows) => {
      const changed = new Map(
        (rows as { request_position: number }[]).map(({ request_position, ...record }) => [
          request_position,
          record as T,
        ]),
      );
      return requested.map(({ request_position }) => changed.get(request_position));
    },
  };
}

/** A record that has the requested values already is not changed, and keeps its version. */
function updateSql(table: JournaledTable): string {
  const { name, list } = table;
  const changed = 'json_populate_record(record, requested.changes)';
  return `
      UPDATE ${name} AS record
      SET (${list}) = (SELECT ${list} FROM ${changed}), version = version + 1
      FROM requested
      WHERE requested.operation = 'update' AND ${MATCHES_SQL} AND record IS DISTINCT FROM ${changed}
      RETURNING requested.request_position, id, version, ${table.listOf('record')}`;
}

function deleteSql(table: JournaledTable): string {
  return `
      DELETE FROM ${table.name} AS record
      USING requested WHERE requested.operation = 'delete' AND ${MATCHES_SQL}
      RETURNING requested.request_position, id, version + 1 AS version, ${table.listOf('record')}`;
}

/** A journaled record (version 0 was written without the journal) with one of the required versions. */
const MATCHES_SQL = `
  id = requested.record_id AND version > 0
  AND (requested.if_match IS NULL OR version = ANY (requested.if_match))`;
