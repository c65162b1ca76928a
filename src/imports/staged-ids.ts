import type { QueryRunner } from 'typeorm';
import { sequenceOf } from '../journal/id-sequence.js';
import { ID_COLUMN } from './import-columns.js';
import type { ImportRules } from './import-rules.js';
import { newRowsSql, storedColumns, type Conflict } from './merge.js';
import type { ParsedRows } from './parsed-rows.js';
import { issueAt, MAX_REPORTED_ROWS, type RowErrors } from './row-errors.js';
import { STAGING_TABLE } from './staging.js';

interface TakenId {
  line: number;
  id: number;
  /** Of the first row with the id. */
  first_line: number;
  total: number;
}

const GIVEN_ID = ID_COLUMN.storedSql(ID_COLUMN.name);

/**
 * SQL for the staged rows, each with the id and the version of the record that it becomes. Rows without an
 * id get the ids after `lastId`. The versions of a deleted record are continued.
 */
export function identifiedRowsSql({ columns }: ImportRules, lastId: number): string {
  const names = columns.map(({ name }) => name).join(', ');
  const nextId = `${lastId} + count(*) FILTER (WHERE given_id IS NULL) OVER (ORDER BY line)`;
  return `
    SELECT line, absent, id, ${names}, 1 + coalesce(last.version, 0) AS version
    FROM (
      SELECT line, absent, coalesce(given_id, ${nextId})::integer AS id, ${names}
      FROM (
        SELECT line, absent, ${GIVEN_ID} AS given_id, ${storedColumns(columns)}
        FROM ${STAGING_TABLE}) AS stored) AS identified
    LEFT JOIN (
      SELECT record_id, max(version) AS version FROM journal
      WHERE record_id IN (SELECT ${GIVEN_ID} FROM ${STAGING_TABLE}) GROUP BY record_id
    ) AS last ON last.record_id = identified.id`;
}

/** Adds the rows to `rowErrors` that would become new records under an id that is taken. */
export async function rejectTakenIds(
  runner: QueryRunner,
  rules: ImportRules,
  { pointerTo }: ParsedRows,
  conflict: Conflict | undefined,
  rowErrors: RowErrors,
): Promise<void> {
  const taken: TakenId[] = await runner.query(`
    WITH new_rows AS (${newRowsSql(rules, conflict)}),
    given AS (
      SELECT line, id, min(line) OVER (PARTITION BY id) AS first_line
      FROM (SELECT line, ${GIVEN_ID} AS id FROM new_rows) AS numbered WHERE id IS NOT NULL)
    SELECT line, given.id, first_line, count(*) OVER ()::integer AS total
    FROM given LEFT JOIN ${rules.table} AS record ON record.id = given.id
    WHERE line > first_line OR record.id IS NOT NULL
    ORDER BY line LIMIT ${MAX_REPORTED_ROWS}`);
  const rejected = taken.map(({ line, ...row }) => {
    const issue = { pointer: '#/id', detail: describe({ line, ...row }) };
    return { line, issues: [issueAt(pointerTo(line), issue)] };
  });
  rowErrors.addAll(rejected, taken[0]?.total ?? 0);
}

function describe({ line, id, first_line }: TakenId): string {
  if (line > first_line) return `${id} is also the id of row ${first_line}`;
  return (
    `${id} exists already. To update the record, send Prefer: resolution=merge-duplicates with ` +
    'on_conflict=id; to create another one, choose the other columns with columns='
  );
}

/**
 * Returns the largest id so far, of the records and of the staged rows. Later ids of the sequence are
 * larger than those of the staged rows, unless it is a dry run: a sequence is not rolled back.
 */
export async function reserveIds(
  runner: QueryRunner,
  { table }: ImportRules,
  isDryRun: boolean,
): Promise<number> {
  const sequence = await sequenceOf(runner, table);
  const [ids] = (await runner.query(`
    SELECT greatest(last_value, largest)::integer AS last, missing::integer
    FROM ${sequence}, (
      SELECT max(${GIVEN_ID}) AS largest, count(*) FILTER (WHERE ${GIVEN_ID} IS NULL) AS missing
      FROM ${STAGING_TABLE}) AS staged`)) as { last: number; missing: number }[];
  const { last, missing } = ids!;
  if (!isDryRun) await runner.query(`SELECT setval('${sequence}', $1)`, [last + missing]);
  return last;
}
