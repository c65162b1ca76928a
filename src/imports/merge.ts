import type { ImportColumn } from './import-columns.js';
import type { ImportRules } from './import-rules.js';
import { STAGING_TABLE } from './staging.js';

/** What is done with a row whose key exists: its record is updated, or the row is skipped. */
export type Resolution = 'merge-duplicates' | 'ignore-duplicates';

/** SQL for the records that the staged rows become, as `Journal.createMany` takes it. */
export function selectStagedSql({ columns }: ImportRules): string {
  return `SELECT id, ${storedColumns(columns)} FROM ${STAGING_TABLE}`;
}

/**
 * SQL that merges the staged rows into the table by the natural key, as `Journal.applyMany` takes it.
 *
 * If several rows have the same key, the last one counts when merging and the first one when ignoring
 * duplicates. If several records have the key, the oldest one is matched. A record that equals its row is
 * not changed.
 */
export function mergeSql(rules: ImportRules, resolution: Resolution): string {
  const { table, columns, naturalKey } = rules;
  const isMerge = resolution === 'merge-duplicates';
  const others = columns.filter(({ name }) => !naturalKey.includes(name));
  const sameKey = columns.filter(({ name }) => naturalKey.includes(name)).map(sameValueSql);
  const key = naturalKey.join(', ');
  const names = columns.map(({ name }) => name).join(', ');
  return `
    staged AS (SELECT line, absent, ${storedColumns(columns)} FROM ${STAGING_TABLE}),
    distinct_rows AS (
      SELECT DISTINCT ON (${key}) * FROM staged
      ORDER BY ${key}, line ${isMerge ? 'DESC' : 'ASC'}),
    matched AS (
      SELECT DISTINCT ON (line) distinct_rows.*, record.id AS record_id
      FROM distinct_rows LEFT JOIN ${table} AS record ON ${sameKey.join(' AND ')}
      ORDER BY line, record.id),
    created AS (
      INSERT INTO ${table} (${names}, version)
      SELECT ${names}, 1 FROM matched WHERE record_id IS NULL ORDER BY line
      RETURNING *, 'create' AS operation)
    ${isMerge && others.length ? updateSql(table, others) : ', changed AS (SELECT * FROM created)'}`;
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

/** A required column is compared by =, for which PostgreSQL can use a hash join. */
function sameValueSql({ name, isRequired }: ImportColumn): string {
  return `record.${name} ${isRequired ? '=' : 'IS NOT DISTINCT FROM'} distinct_rows.${name}`;
}

function storedColumns(columns: ImportColumn[]): string {
  return columns.map(({ name, storedSql }) => `${storedSql(name)} AS ${name}`).join(', ');
}
