import { quote, type JournaledTable } from './journaled-table.js';

/** The first of a change's own parameters: $1 to $3 are the request's. */
export const FIRST = 4;

/**
 * Makes a change remember itself: one statement that takes the head row first, so that writers queue,
 * changes the records, numbers the changes without a gap, and writes them down with their request.
 * Returns the record, or one of them.
 *
 * `change` selects from `head` and returns the records it left, each with its `operation`. Its
 * parameters begin at $4; $1 is the request's id, $2 who asks, $3 the fingerprint.
 */
export function remember(table: JournaledTable, change: string): string {
  return `
    WITH head AS (SELECT 1 FROM journal_head FOR UPDATE),
    changed AS (${change}),
    ${numberAndAdvance('WHERE total > 0')},
    request AS (
      INSERT INTO journal_request (request_id, first_seq, last_seq, at, by, fingerprint)
      SELECT $1::text, before + 1, seq, at, $2::text, $3::text FROM turn),
    entries AS (${writeDown(table)})
    SELECT id, ${table.list}, version FROM numbered LIMIT 1`;
}

/**
 * The same for many records at once. `change` is a list of WITH queries of which the last is called
 * `changed`; `offered` is how many records were sent, or SQL for how many were found. Returns how many were created, changed and left.
 * The head row has to be locked before, so that the change sees all that was written before it.
 */
export function rememberMany(
  table: JournaledTable,
  change: string,
  offered: number | string,
): string {
  return `
    WITH ${change},
    ${numberAndAdvance('')},
    request AS (
      INSERT INTO journal_request (request_id, first_seq, last_seq, skipped, at, by, fingerprint)
      SELECT $1::text, CASE WHEN total > 0 THEN before + 1 END, CASE WHEN total > 0 THEN seq END,
             ${offered} - total, at, $2::text, $3::text FROM turn),
    entries AS (${writeDown(table)})
    SELECT ${tallied}, ${offered} - count(*)::integer AS skipped FROM changed`;
}

/** What COPY takes on one connection, and where it puts it on another. */
export interface Copy {
  from: string;
  into: string;
}

/** New records and their journal entries after `before`, from rows that `select` gives with their ids. */
export function copies(table: JournaledTable, select: string, before: number) {
  const numbered = `SELECT ${before} + row_number() OVER () AS seq, * FROM (${select}) AS staged`;
  const asRecords: Copy = {
    from: `SELECT id, 1, ${table.list} FROM (${select}) AS staged`,
    into: `${table.name} (id, version, ${table.list})`,
  };
  const asEntries: Copy = {
    from: `SELECT seq, id, 1, 'create', ${table.recordOf('numbered')} FROM (${numbered}) AS numbered`,
    into: 'journal (seq, record_id, version, operation, record)',
  };
  return { asRecords, asEntries };
}

/** Advances the head row, which is locked, by `total`, and remembers the request. */
export function advance(total: number): string {
  return `
    WITH turn AS (
      UPDATE journal_head SET seq = seq + ${total}, at = greatest(at, clock_timestamp())
      RETURNING seq, at)
    INSERT INTO journal_request (request_id, first_seq, last_seq, at, by, fingerprint)
    SELECT $1::text, seq - ${total} + 1, seq, at, $2::text, $3::text FROM turn`;
}

function numberAndAdvance(unlessEmpty: string): string {
  return `numbered AS (SELECT *, row_number() OVER () AS place FROM changed),
    turn AS (
      UPDATE journal_head SET seq = seq + total, at = greatest(at, clock_timestamp())
      FROM (SELECT count(*) AS total FROM changed) AS counted ${unlessEmpty}
      RETURNING seq - total AS before, seq, at, total)`;
}

/** The journal's entries for what is `numbered`, in `turn`. */
export function writeDown(table: JournaledTable, place = 'place'): string {
  return `
      INSERT INTO journal (seq, record_id, version, operation, record)
      SELECT (SELECT before FROM turn) + ${place}, id, version, operation, ${table.recordOf('numbered')}
      FROM numbered`;
}

/** How many entries, of all that the rest of the query selects, created a record, changed or deleted one. */
export const tallied = `
  count(*) FILTER (WHERE operation = 'create')::integer AS inserted,
  count(*) FILTER (WHERE operation = 'update')::integer AS updated,
  count(*) FILTER (WHERE operation = 'delete')::integer AS deleted`;

/** For `rememberMany`: changes the records that `find` selects by id; `first` is the first value's place. */
export function updateFound(
  table: JournaledTable,
  find: string,
  columns: string[],
  first: number,
): string {
  const places = table.places(columns, first);
  const names = columns.map(quote);
  return `
    found AS (${find}),
    changed AS (
      UPDATE ${table.name} AS record
      SET ${names.map((name, index) => `${name} = ${places[index]}`).join(', ')}, version = version + 1
      FROM found WHERE record.id = found.id
        AND ROW(${names.map((name) => `record.${name}`).join(', ')}) IS DISTINCT FROM ROW(${places.join(', ')})
      RETURNING record.*, 'update' AS operation)`;
}

/** The same, deleting them. */
export function removeFound(table: JournaledTable, find: string): string {
  return `
    found AS (${find}),
    changed AS (
      DELETE FROM ${table.name} AS record USING found WHERE record.id = found.id
      RETURNING record.id, ${table.listOf('record')},
                version + 1 AS version, 'delete' AS operation)`;
}

/** How many records those statements found. */
export const FOUND_COUNT = '(SELECT count(*) FROM found)::integer';

/** Puts a record back as it was, whether it is there or not: under $4, with the version $5, as $6. */
export function restore(table: JournaledTable): string {
  const again = table.columns.map((column) => `${quote(column)} = excluded.${quote(column)}`);
  return `
    INSERT INTO ${table.name} AS record (id, version, ${table.list}) OVERRIDING SYSTEM VALUE
    SELECT $4::integer, $5::integer, ${table.list}
    FROM head, json_populate_record(NULL::${table.name}, $6::json)
    ON CONFLICT (id) DO UPDATE SET version = excluded.version, ${again.join(', ')}
    RETURNING *, 'restore' AS operation`;
}

/** Takes over what was written past the journal: `everything` before the journal's first entry. */
export function adoptAll(table: JournaledTable, everything: boolean): string {
  return `
    UPDATE ${table.name} AS record SET version = greatest(version, 1 + coalesce(
      (SELECT max(version) FROM journal WHERE record_id = record.id), 0))
    FROM head WHERE ${everything ? 'true' : 'version = 0'}
    RETURNING record.*, 'create' AS operation`;
}
