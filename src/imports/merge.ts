import type { ImportColumn } from './import-columns.js';
import type { ImportRules } from './import-rules.js';
import { STAGING_TABLE } from './staging.js';

/** What is done with a row whose record exists: the record is updated, or the row is skipped. */
export type Resolution = 'merge-duplicates' | 'ignore-duplicates';

/** How the record of a row is found, and what is done with it. */
export interface Conflict {
  /** The columns that identify a record: the id, or the natural key. */
  key: string[];
  resolution: Resolution;
}

/** SQL for the records that the staged rows become, as `BulkJournal.createMany` takes it. */
export function selectStagedSql({ columns }: ImportRules): string {
  return `SELECT assigned_id AS id, 1 AS version, ${storedColumns(columns)} FROM ${STAGING_TABLE}`;
}

/**
 * SQL that merges rows into the table, as `BulkJournal.applyMany` takes it. `identifiedRows` is SQL for the
 * staged rows with ids and versions; without it, new records get the next ids.
 *
 * If several rows have the same key, the last one counts when merging and the first one when ignoring
 * duplicates. If several records have the key, the oldest one is matched. A record that equals its row is
 * not changed. A record keeps its id, also if its row has another one.
 */
export function mergeSql(rules: ImportRules, conflict: Conflict, identifiedRows?: string): string {
  const { table, columns } = rules;
  const others = columns.filter(({ name }) => !conflict.key.includes(name));
  const isUpdate = conflict.resolution === 'merge-duplicates' && others.length > 0;
  const names = columns.map(({ name }) => name).join(', ');
  const [stored, values] = identifiedRows
    ? [`id, ${names}, version`, `id, ${names}, version`]
    : [`${names}, version`, `${names}, 1`];
  return `
    staged AS (${identifiedRows ?? stagedRowsSql(columns)}),
    ${matchSql(rules, conflict)},
    created AS (
      INSERT INTO ${table} (${stored}) OVERRIDING SYSTEM VALUE
      SELECT ${values} FROM matched WHERE record_id IS NULL ORDER BY line
      RETURNING *, 'create' AS operation)
    ${isUpdate ? updateSql(table, others) : ', changed AS (SELECT * FROM created)'}`;
}

/** SQL for the staged rows, as text, that would become new records. */
export function newRowsSql(rules: ImportRules, conflict: Conflict | undefined): string {
  if (!conflict) return `SELECT * FROM ${STAGING_TABLE}`;
  return `
    WITH staged AS (${stagedRowsSql(rules.columns)}),
    ${matchSql(rules, conflict)}
    SELECT ${STAGING_TABLE}.* FROM ${STAGING_TABLE} JOIN matched USING (line) WHERE record_id IS NULL`;
}

/** The row that counts for each key, and the record that has the key. */
function matchSql({ table, columns }: ImportRules, { key, resolution }: Conflict): string {
  const names = key.join(', ');
  const isMerge = resolution === 'merge-duplicates';
  const sameKey = key.map((name) => sameValueSql(name, columns));
  return `
    distinct_rows AS (
      SELECT DISTINCT ON (${names}) * FROM staged
      ORDER BY ${names}, line ${isMerge ? 'DESC' : 'ASC'}),
    matched AS (
      SELECT DISTINCT ON (line) distinct_rows.*, record.id AS record_id
      FROM distinct_rows LEFT JOIN ${table} AS record ON ${sameKey.join(' AND ')}
      ORDER BY line, record.id)`;
}

function stagedRowsSql(columns: ImportColumn[]): string {
  return `SELECT line, absent, ${storedColumns(columns)} FROM ${STAGING_TABLE}`;
}

function updateSql(table: string, columns: ImportColumn[]): string {
  const values = columns.map(
    ({ name }) =>
      `CASE WHEN '${name}' = ANY (matched.absent) THEN record.${name} ELSE matched.${name} END`,
  );
  const assignments = columns.map(({ name }, index) => `${name} = ${values[index]}`);
  const current = columns.map(({ name }) => `record.${name}`);
  return `,
    merged AS (
      UPDATE ${table} AS record SET ${assignments.join(', ')}, version = record.version + 1
      FROM matched WHERE record.id = matched.record_id
        AND ROW(${current.join(', ')}) IS DISTINCT FROM ROW(${values.join(', ')})
      RETURNING record.*, 'update' AS operation),
    changed AS (SELECT * FROM created UNION ALL SELECT * FROM merged)`;
}

/** A column that is never null is compared by =, for which PostgreSQL can use a hash join. */
function sameValueSql(name: string, columns: ImportColumn[]): string {
  const isNullable = columns.some((column) => column.name === name && !column.isRequired);
  return `record.${name} ${isNullable ? 'IS NOT DISTINCT FROM' : '='} distinct_rows.${name}`;
}

/** The values of columns in the staging table, as they are stored. */
export function storedColumns(columns: ImportColumn[]): string {
  return columns.map(({ name, storedSql }) => `${storedSql(name)} AS ${name}`).join(', ');
}
