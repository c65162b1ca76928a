import pg from 'pg';
import { CHANGE_COUNTS_SQL } from './change-counts.js';
import type { Copy } from './copy-between.js';
import type { JournaledTable } from './journaled-table.js';

/** The number of a change's own first parameter: $1 to $3 belong to the request. */
export const FIRST_PARAMETER = 4;

/**
 * A statement that executes a change and journals it. It locks the head row first, so that writers queue;
 * then it changes the records, assigns gapless numbers to the changes, and inserts the journal entries and
 * the request. It returns one of the changed records.
 *
 * `change` selects from `lock` and returns the changed records, each with its `operation`. Its parameters
 * begin at $4. $1 is the request id, $2 the author, $3 the fingerprint.
 */
export function journaledWriteSql(table: JournaledTable, change: string): string {
  return `
    WITH lock AS (SELECT 1 FROM journal_head FOR UPDATE),
    changed AS (${change}),
    ${assignSequenceSql('WHERE total > 0')},
    request AS (
      INSERT INTO journal_request (request_id, first_seq, last_seq, at, by, fingerprint)
      SELECT $1::text, before + 1, seq, at, $2::text, $3::text FROM head),
    entries AS (${insertJournalEntriesSql(table)})
    SELECT id, ${table.list}, version FROM numbered LIMIT 1`;
}

/**
 * As `journaledWriteSql`, for many records. It returns the `ChangeCounts`.
 *
 * `change` is a list of WITH queries, the last of which is `changed`. `offered` is the number of records
 * that were sent, or SQL for the number that was selected. The head row must be locked before, so that
 * the change sees all earlier writes.
 */
export function journaledBulkWriteSql(
  table: JournaledTable,
  change: string,
  offered: number | string,
): string {
  return `
    WITH ${change},
    ${assignSequenceSql('')},
    request AS (
      INSERT INTO journal_request (request_id, first_seq, last_seq, skipped, at, by, fingerprint)
      SELECT $1::text, CASE WHEN total > 0 THEN before + 1 END, CASE WHEN total > 0 THEN seq END,
             ${offered} - total, at, $2::text, $3::text FROM head),
    entries AS (${insertJournalEntriesSql(table)})
    SELECT ${CHANGE_COUNTS_SQL}, ${offered} - count(*)::integer AS skipped,
           (SELECT json_build_array(before + 1, seq) FROM head WHERE total > 0) AS range
    FROM changed`;
}

/** Copies of new records, and of their journal entries after `before`. `select` returns them with ids and versions. */
export function copiesOf(table: JournaledTable, select: string, before: number) {
  const numbered = `SELECT ${before} + row_number() OVER () AS seq, * FROM (${select}) AS staged`;
  const records: Copy = {
    from: `SELECT id, version, ${table.list} FROM (${select}) AS staged`,
    into: `${table.name} (id, version, ${table.list})`,
  };
  const entries: Copy = {
    from: `SELECT seq, id, version, 'create', ${table.jsonOf('numbered')} FROM (${numbered}) AS numbered`,
    into: 'journal (seq, record_id, version, operation, record)',
  };
  return { records, entries };
}

/** Advances the locked head row by `total` changes, and inserts the request. */
export function advanceHeadSql(total: number): string {
  return `
    WITH head AS (
      UPDATE journal_head SET seq = seq + ${total}, at = greatest(at, clock_timestamp())
      RETURNING seq, at)
    INSERT INTO journal_request (request_id, first_seq, last_seq, at, by, fingerprint)
    SELECT $1::text, seq - ${total} + 1, seq, at, $2::text, $3::text FROM head`;
}

function assignSequenceSql(condition: string): string {
  return `numbered AS (SELECT *, row_number() OVER () AS position FROM changed),
    head AS (
      UPDATE journal_head SET seq = seq + total, at = greatest(at, clock_timestamp())
      FROM (SELECT count(*) AS total FROM changed) AS counted ${condition}
      RETURNING seq - total AS before, seq, at, total)`;
}

/** Inserts the journal entries of the changes in `numbered`, which have a `position` from 1. */
export function insertJournalEntriesSql(table: JournaledTable): string {
  return `
      INSERT INTO journal (seq, record_id, version, operation, record)
      SELECT (SELECT before FROM head) + position, id, version, operation, ${table.jsonOf('numbered')}
      FROM numbered`;
}

/**
 * For `journaledBulkWriteSql`: updates the records whose ids `select` returns. The values of `columns` are
 * the parameters from `$first` on.
 */
export function updateMatchingSql(
  table: JournaledTable,
  select: string,
  columns: string[],
  first: number,
): string {
  const placeholders = table.placeholders(columns, first);
  const names = columns.map((name) => pg.escapeIdentifier(name));
  const assignments = names.map((name, index) => `${name} = ${placeholders[index]}`);
  const current = names.map((name) => `record.${name}`);
  return `
    matching AS (${select}),
    changed AS (
      UPDATE ${table.name} AS record SET ${assignments.join(', ')}, version = version + 1
      FROM matching WHERE record.id = matching.id
        AND ROW(${current.join(', ')}) IS DISTINCT FROM ROW(${placeholders.join(', ')})
      RETURNING record.*, 'update' AS operation)`;
}

/** As `updateMatchingSql`, deleting the records. */
export function deleteMatchingSql(table: JournaledTable, select: string): string {
  return `
    matching AS (${select}),
    changed AS (
      DELETE FROM ${table.name} AS record USING matching WHERE record.id = matching.id
      RETURNING record.id, ${table.listOf('record')},
                version + 1 AS version, 'delete' AS operation)`;
}

/** The number of records that those statements selected. */
export const MATCHING_COUNT_SQL = '(SELECT count(*) FROM matching)::integer';

/** For `journaledWriteSql`: inserts the record $6 under the id $4 with the version $5. */
export function createWithIdSql(table: JournaledTable): string {
  return `${insertSql(table)} RETURNING *, 'create' AS operation`;
}

/** As `createWithIdSql`, also if the record exists. */
export function restoreSql(table: JournaledTable): string {
  const assignments = table.columns.map(
    (name) => `${pg.escapeIdentifier(name)} = excluded.${pg.escapeIdentifier(name)}`,
  );
  return `${insertSql(table)}
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, ${assignments.join(', ')}
    RETURNING *, 'restore' AS operation`;
}

function insertSql(table: JournaledTable): string {
  return `
    INSERT INTO ${table.name} AS record (id, version, ${table.list}) OVERRIDING SYSTEM VALUE
    SELECT $4::integer, $5::integer, ${table.list}
    FROM lock, json_populate_record(NULL::${table.name}, $6::json)`;
}

/** For `journaledWriteSql`: numbers the records without a version, or all records. */
export function backfillSql(table: JournaledTable, isForAll: boolean): string {
  return `
    UPDATE ${table.name} AS record SET version = greatest(version, 1 + coalesce(
      (SELECT max(version) FROM journal WHERE record_id = record.id), 0))
    FROM lock WHERE ${isForAll ? 'true' : 'version = 0'}
    RETURNING record.*, 'create' AS operation`;
}
